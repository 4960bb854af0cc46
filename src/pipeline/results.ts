import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { StageRecord } from "../config/index.ts";
import { attempt, fail, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import { snapshot } from "../store/index.ts";
import type { LocalStore } from "../store/index.ts";
import { readChecks } from "./checks.ts";
import { parseMetrics } from "./metrics.ts";
import type { Stage } from "./stage.ts";

/** What a stage has made, taken into the cache: the part of its record that says so. */
export async function takeResults(
  context: Context,
  stage: Stage,
  cache: LocalStore,
): Promise<Result<Pick<StageRecord, "outs" | "metrics" | "profile" | "checks">>> {
  const outs = await takeOutputs(context, stage, cache);
  if (!outs.ok) return outs;
  const metrics = await readMetrics(context, stage);
  if (!metrics.ok) return metrics;
  const checks = await readChecks(context, stage);
  if (!checks.ok) return checks;
  const profile = await makeProfile(context, stage, cache);
  if (!profile.ok) return profile;
  return ok({ outs: outs.value, metrics: metrics.value, profile: profile.value, ...checks.value });
}

async function takeOutputs(context: Context, stage: Stage, cache: LocalStore): Promise<Result<StageRecord["outs"]>> {
  const outs: StageRecord["outs"] = [];
  for (const out of stage.outs) {
    const taken = await snapshot(context, out.path, out.cache ? cache : undefined);
    if (!taken.ok) {
      const [failure] = taken.failures;
      if (failure.code !== "file-missing") return taken;
      return fail({ code: "output-missing", at: stage.at(out.where), stage: stage.name, path: out.path });
    }
    const { kind, digest, size, mode } = taken.value;
    outs.push({ path: out.path, kind, digest, size, ...(mode === undefined ? {} : { mode }) });
    context.emit({ type: "effect", name: `output ${out.path} taken` });
  }
  return ok(outs);
}

/** The metrics among the outputs that stand in place. */
export async function readMetrics(context: Context, stage: Stage): Promise<Result<StageRecord["metrics"]>> {
  const metrics: StageRecord["metrics"] = {};
  for (const out of stage.outs.filter(({ uses }) => uses.includes("metric"))) {
    const bytes = await attempt(out.path, () => readFile(join(context.cwd, out.path)));
    if (!bytes.ok) return bytes;
    const parsed = await parseMetrics(out.path, bytes.value);
    if (!parsed.ok) return parsed;
    metrics[out.path] = parsed.value;
  }
  return ok(metrics);
}

async function makeProfile(context: Context, stage: Stage, cache: LocalStore): Promise<Result<Digest | null>> {
  if (stage.profile === null) return ok(null);
  const table = stage.profile;
  const bytes = await attempt(table, () => readFile(join(context.cwd, table)));
  if (!bytes.ok) return bytes;
  const { profileJson, sketchTable } = await import("../profile/index.ts");
  const profile = sketchTable(bytes.value, table);
  if (!profile.ok) return profile;
  return cache.put(Buffer.from(profileJson(profile.value)));
}
