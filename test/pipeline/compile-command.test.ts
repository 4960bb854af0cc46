import { appendFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { experiment } from "../../src/pipeline/index.ts";
import { startLockstep } from "../helpers/cli.ts";
import type { Ended } from "../helpers/cli.ts";
import { sh } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { CHAIN_FILES, project } from "./project.ts";

const FILE = ".github/workflows/lockstep-demo.yml";

test("writes what is not up to date, and --check says what that is; the experiment leaves the pipeline to it", async () => {
  const other = "stages:\n  alone: {cmd: touch build/alone, outs: [build/alone]}\n";
  using at = project({ ...CHAIN_FILES, "pipelines/other.yaml": other });
  const compile = async (...args: string[]): Promise<Ended> => startLockstep(at.path, ["compile", ...args]).ended;

  const missing = await compile("demo", "--check");
  expect(missing).toMatchObject({ exitCode: 1, stdout: `${FILE} is not there; \`lockstep compile demo\` writes it\n` });
  expect(existsSync(join(at.path, FILE))).toBe(false);
  expect(await compile("demo")).toMatchObject({ exitCode: 0, stdout: `${FILE} written\n` });
  const text = at.read(FILE);
  expect(await compile("--check")).toMatchObject({ exitCode: 0, stdout: `${FILE} is up to date\n` });

  // Without a name, those that were compiled.
  appendFileSync(join(at.path, "pipelines/demo.yaml"), "  more: {cmd: touch build/more, outs: [build/more]}\n");
  const stale = await compile("--check");
  expect(stale.exitCode).toBe(1);
  expect(stale.stdout).toMatch(
    /^\.github\/workflows\/lockstep-demo\.yml:\d+: not up to date[^]*\n {2}- .*\n {2}\+ .*\n$/,
  );
  const printed = await compile("--stdout", "--json");
  expect(JSON.parse(printed.stdout)).toEqual({
    workflows: [{ pipeline: "demo", file: FILE, text: expect.any(String) }],
  });
  expect(at.read(FILE)).toBe(text);

  sh(at.path, "add", "--all");
  sh(at.path, "commit", "--quiet", "--message=compiled");
  const rest = value(await experiment(at.context, { leaveCompiled: true }));
  expect(rest.document.runs.map(({ pipeline }) => pipeline)).toEqual(["other"]);
});
