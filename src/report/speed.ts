import { servedFile } from "../config/index.ts";
import type { Against, ModelConfig, ModelVersion, ResultDocument } from "../config/index.ts";
import { ok } from "../core/index.ts";
import type { Digest, Result } from "../core/index.ts";
import type { MeasuredSpeed } from "../evaluate/index.ts";
import { fileIn } from "../store/index.ts";
import type { FileIn, Store } from "../store/index.ts";
import type { Side } from "./side.ts";

/** A report that nobody measured for: only an experiment's job and promotion do. */
export const NOT_MEASURED: MeasuredSpeed = {
  kind: "none",
  why: "Not measured here: the experiment's job and promotion do. `lockstep model benchmark` measures it on this machine.",
};

/** The network that a side made; undefined where it made none, or it is not clear which of its files is served. */
export async function networkOf(
  side: Side | undefined,
  config: ModelConfig,
  stores: readonly Store[],
): Promise<Result<FileIn | undefined>> {
  const file = servedFile(Object.keys(config.files), config.serving);
  const path = file === undefined ? undefined : config.files[file];
  return side === undefined || path === undefined ? ok(undefined) : fileIn(side.outputs.values(), path, stores);
}

/** Digest of the network of a version. */
export function networkOfVersion(version: ModelVersion | undefined, config: ModelConfig): Digest | undefined {
  const file = version === undefined ? undefined : servedFile(Object.keys(version.files), config.serving);
  return file === undefined ? undefined : version?.files[file];
}

/**
 * What an experiment measured of a model. An entry counts only if it is of the network that is judged here, and beside
 * the one that it is judged against.
 */
export function speedOf(
  model: string,
  performance: ResultDocument["performance"],
  networks: { readonly head: Digest | undefined } & { readonly [what in Against]: Digest | undefined },
): MeasuredSpeed {
  const told = (performance ?? []).filter((entry) => entry.model === model);
  const all = told.flatMap((entry) => ("problem" in entry ? [] : [entry]));
  const fitting = all.filter(
    ({ digest, against }) =>
      digest === networks.head && (against === null || against.digest === networks[against.what]),
  );
  if (fitting.length > 0) return { kind: "measured", all: fitting };
  const problem = told.flatMap((entry) => ("problem" in entry ? [entry.problem] : []))[0];
  const why = all.length > 0 ? "The experiment measured other files than these." : "The experiment did not measure it.";
  return { kind: "missing", why: problem ?? why };
}
