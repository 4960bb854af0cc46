export { openRecords } from "./open.ts";
export type { PublishOutcome, Published, Records, RecordsOptions } from "./records.ts";
export { LOCAL, runPath, stagePath } from "./paths.ts";
export { loadSettings, recordsOptions } from "./settings.ts";
export type { RunEntry, Scalar } from "./run-entry.ts";
export { columnOf, parseCondition, parseSince, queryRuns } from "./query.ts";
export type { Condition, RunQuery } from "./query.ts";
export { diffRuns } from "./diff.ts";
export type { Difference, RunDiff } from "./diff.ts";
