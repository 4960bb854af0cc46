import { z } from "zod";
import { parseConfig } from "../config/index.ts";
import type { Positioned } from "../config/index.ts";
import { fail, failedIfAny, ok } from "../core/index.ts";
import type { Failure, Location, Result } from "../core/index.ts";
import { parseParams } from "./params.ts";

/** A metrics file is a handful of numbers; a larger one is something else under that name. */
const METRICS_LIMIT = 1024 * 1024;
const NO_VALUE =
  "a training that diverged has no such value: write null, or leave the name out, and a gate on it fails for want of it";
const NOT_FINITE = /^[+-]?(nan|inf|infinity)$/i;

/**
 * Reads a metrics file (json, yaml or toml) as flat names `a.b.c` -> number; texts, booleans, nulls and lists are
 * left out, as in DVC. A number that is not finite (as a bare word, or as text) and anything that is not valid in the
 * file's format is a `metrics-invalid` with its place.
 */
export async function parseMetrics(file: string, bytes: Buffer): Promise<Result<Record<string, number>>> {
  const start: Location = { file, line: 1, column: 1 };
  if (bytes.length > METRICS_LIMIT) {
    return fail({ code: "metrics-invalid", at: start, problem: `a metrics file has at most ${METRICS_LIMIT} bytes` });
  }
  const text = bytes.toString("utf8");
  const parsed = file.endsWith(".toml") ? await parseParams(file, text) : parseConfig(file, text, z.unknown());
  if (!parsed.ok) return invalid(parsed.failures);
  const { value, at } = parsed.value;
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return fail({ code: "metrics-invalid", at: at([]), problem: "a metrics file holds names and numbers" });
  }
  const metrics: [string, number][] = [];
  const failures: Failure[] = [];
  walk(value, [], (path, leaf) => {
    const name = path.join(".");
    if (typeof leaf === "number" && Number.isFinite(leaf) && !path.some((part) => typeof part === "number")) {
      metrics.push([name, leaf]);
    } else if (typeof leaf === "number" ? !Number.isFinite(leaf) : typeof leaf === "string" && NOT_FINITE.test(leaf)) {
      failures.push({
        code: "metrics-invalid",
        at: at(path),
        problem: `"${name}" is ${String(leaf)}, which is not a number`,
        hint: NO_VALUE,
      });
    }
  });
  const broken = failedIfAny(failures);
  if (broken) return broken;
  const strict = file.endsWith(".json") ? strictJson(text, parsed.value) : undefined;
  return strict === undefined ? ok(Object.fromEntries(metrics)) : fail(strict);
}

/** YAML accepts more than JSON (comments, bare words): a .json file that other tools could not read is told here. */
function strictJson(text: string, parsed: Positioned<unknown>): Failure | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const [, line, column] = /line (\d+) column (\d+)/.exec(String(error)) ?? [];
    const source = text.split("\n")[Number(line) - 1];
    const at =
      line === undefined || source === undefined
        ? parsed.at([])
        : { file: parsed.file, line: Number(line), column: Number(column), source };
    return { code: "metrics-invalid", at, problem: "not valid JSON", cause: error };
  }
}

function invalid(failures: readonly [Failure, ...Failure[]]): Result<never> {
  const [first, ...rest] = failures.map((failure): Failure =>
    failure.code === "file-invalid"
      ? { code: "metrics-invalid", at: failure.at, problem: failure.problem, cause: failure.cause }
      : failure,
  );
  return fail(first as Failure, ...rest);
}

function walk(
  value: unknown,
  path: readonly PropertyKey[],
  visit: (path: readonly PropertyKey[], leaf: unknown) => void,
): void {
  if (Array.isArray(value)) value.forEach((member, index) => walk(member, [...path, index], visit));
  else if (value !== null && typeof value === "object") {
    for (const [name, member] of Object.entries(value)) walk(member, [...path, name], visit);
  } else visit(path, value);
}
