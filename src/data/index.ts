import type { Context, Result } from "../core/index.ts";
import type { GcOptions, GcReport } from "./gc/collect.ts";

export { addData } from "./add.ts";
export type { AddedData } from "./add.ts";
export { amountOf } from "./gc/amount.ts";
export type { GcOptions, GcReport } from "./gc/collect.ts";
export { DATA_LOCK, loadDataLock, saveDataLock } from "./lock.ts";
export { datasetAt, loadDatasets } from "./datasets.ts";
export type { Tracked } from "./datasets.ts";
export { pullData } from "./pull.ts";
export type { PulledData, PullOptions } from "./pull.ts";
export { pushData } from "./push.ts";
export type { PushedData } from "./push.ts";
export { verifyData } from "./verify.ts";
export type { VerifiedData } from "./verify.ts";
export { dataState, statusData } from "./status.ts";
export type { DatasetState, DatasetStatus } from "./status.ts";
export { diffData } from "./diff.ts";
export type { DataDiff, DatasetDiff, DatasetVersion, SideName } from "./diff.ts";
export type { FilePair, TreeDiff } from "./diff-trees.ts";
export { pathMatcher } from "./glob.ts";
export { logData } from "./log.ts";
export type { DataLog, DataVersion } from "./log.ts";
export { mergeData, mergeDriver } from "./merge.ts";
export type { MergeFiles, MergeOptions } from "./merge.ts";

/** See `gc/collect.ts`, which is loaded when it is called: no other command needs it. */
export async function collectGarbage(context: Context, options: GcOptions): Promise<Result<GcReport>> {
  const collector = await import("./gc/collect.ts");
  return collector.collectGarbage(context, options);
}
export { importData, updateImport } from "./import.ts";
export type { ImportedData, ImportOptions } from "./import.ts";
export { checkSources } from "./import-check.ts";
export type { CheckedSource, SourceState } from "./import-check.ts";
