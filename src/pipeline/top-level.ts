import { z } from "zod";
import { conform, topPlotsSchema } from "../config/index.ts";
import type { Positioned } from "../config/index.ts";
import { failedIfAny, ok } from "../core/index.ts";
import type { Failure, Json, RelativePath, Result } from "../core/index.ts";
import type { Source } from "../git/index.ts";
import { parseMetrics } from "./metrics.ts";
import { ParamFiles } from "./params.ts";
import { topPlots } from "./plots.ts";
import type { Plot } from "./plots.ts";
import { covers, fromRoot } from "./stage.ts";
import type { Pipeline } from "./stage.ts";

/** An output under a name, as DVC's model registry has it. */
export interface Artifact {
  readonly name: string;
  readonly path: RelativePath;
  readonly type?: string | undefined;
  readonly desc?: string | undefined;
  readonly labels?: readonly string[] | undefined;
}

/** What a `dvc.yaml` says beside its stages. Files to look at: no stage's key knows of them. */
export interface TopLevel {
  readonly params: readonly RelativePath[];
  readonly metrics: readonly RelativePath[];
  readonly plots: readonly Plot[];
  readonly artifacts: readonly Artifact[];
}

export const NOTHING: TopLevel = { params: [], metrics: [], plots: [], artifacts: [] };

const schema = z.object({
  params: z.array(z.string()),
  metrics: z.array(z.string()),
  plots: topPlotsSchema,
  artifacts: z.record(
    z.string(),
    z.object({
      path: z.string(),
      type: z.string().optional(),
      desc: z.string().optional(),
      labels: z.array(z.string()).optional(),
    }),
  ),
});

/** Reads the fields beside the stages, their expressions filled in; paths are spelled from the file's folder. */
export function toTopLevel(value: Json, folder: string, at: Positioned<unknown>["at"]): Result<TopLevel> {
  const read = conform(value, schema, at);
  if (!read.ok) return read;
  const failures: Failure[] = [];
  const place = (text: string, ...where: PropertyKey[]): RelativePath[] => {
    const path = fromRoot(folder, text, at(where));
    if (typeof path === "string") return [path];
    failures.push(path);
    return [];
  };
  const { params, metrics, plots, artifacts } = read.value;
  const top = {
    params: params.flatMap((text, index) => place(text, "params", index)),
    metrics: metrics.flatMap((text, index) => place(text, "metrics", index)),
    plots: topPlots(plots, place),
    artifacts: Object.entries(artifacts).flatMap(([name, { path, ...rest }]) =>
      place(path, "artifacts", name, "path").map((placed) => ({ name, path: placed, ...rest })),
    ),
  };
  return failedIfAny(failures) ?? ok(top);
}

export function together(tops: readonly TopLevel[]): TopLevel {
  return {
    params: [...new Set(tops.flatMap(({ params }) => params))],
    metrics: [...new Set(tops.flatMap(({ metrics }) => metrics))],
    plots: tops.flatMap(({ plots }) => plots),
    artifacts: tops.flatMap(({ artifacts }) => artifacts),
  };
}

/**
 * The metrics files beside the stages as they stand in a tree, those of a folder too: file -> name -> number. A stage's
 * own metrics are left out: its record tells them. `missing`: what is not there.
 */
export async function topMetrics(
  source: Source,
  { top, stages }: Pipeline,
): Promise<Result<{ metrics: Record<string, Record<string, number>>; missing: string[] }>> {
  const measured = new Set<string>(
    stages.flatMap(({ outs }) => outs.filter(({ uses }) => uses.includes("metric")).map(({ path }) => path)),
  );
  const metrics: Record<string, Record<string, number>> = {};
  const missing: string[] = [];
  for (const path of top.metrics) {
    const kind = await source.stat(path);
    if (!kind.ok) return kind;
    const listed = kind.value === "folder" ? await source.list(path) : ok([path]);
    if (!listed.ok) return listed;
    for (const file of listed.value.filter((one) => covers(path, one) && !measured.has(one))) {
      const bytes = await source.read(file);
      if (!bytes.ok) return bytes;
      const parsed = bytes.value === undefined ? undefined : await parseMetrics(file, bytes.value);
      if (parsed === undefined) missing.push(file);
      else if (parsed.ok) metrics[file] = parsed.value;
      else return parsed;
    }
  }
  return ok({ metrics, missing });
}

/** The parameter files beside the stages as they stand in a tree: file -> parameter -> value. Those that are there. */
export async function topParams(
  source: Source,
  { top }: Pipeline,
): Promise<Result<Record<string, Record<string, Json>>>> {
  const files = new ParamFiles(source);
  const params: Record<string, Record<string, Json>> = {};
  for (const path of top.params) {
    const read = await files.read(path);
    if (!read.ok) return read;
    if (read.value !== undefined) params[path] = { ...read.value.value };
  }
  return ok(params);
}
