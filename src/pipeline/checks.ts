import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { checksFileSchema, parseConfig } from "../config/index.ts";
import type { Check, StageRecord } from "../config/index.ts";
import { attempt, fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";
import type { Stage } from "./stage.ts";

/** Results of data checks are a short list; a larger file is something else under that name. */
const CHECKS_LIMIT = 1024 * 1024;

/** The results of a stage's checks file (JSON or YAML, `{checks: [{name, passed, found}]}`); each name is there once. */
export function parseChecks(file: string, bytes: Buffer): Result<Check[]> {
  if (bytes.length > CHECKS_LIMIT) {
    const at = { file, line: 1, column: 1 };
    return fail({ code: "file-invalid", at, problem: `a checks file has at most ${CHECKS_LIMIT} bytes` });
  }
  const parsed = parseConfig(file, bytes.toString("utf8"), checksFileSchema);
  if (!parsed.ok) return parsed;
  const { checks } = parsed.value.value;
  const twice = checks.findIndex(({ name }, index) => checks.findIndex((check) => check.name === name) !== index);
  if (twice < 0) return ok(checks);
  const at = parsed.value.at(["checks", twice, "name"]);
  return fail({ code: "file-invalid", at, problem: "the name of another check of this file" });
}

/** The checks among the outputs that stand in place, as its record holds them. */
export async function readChecks(context: Context, stage: Stage): Promise<Result<Pick<StageRecord, "checks">>> {
  const file = stage.checks;
  if (file === null) return ok({});
  const bytes = await attempt(file, () => readFile(join(context.cwd, file)));
  if (!bytes.ok) return bytes;
  const checks = parseChecks(file, bytes.value);
  return checks.ok ? ok({ checks: checks.value }) : checks;
}
