import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BIN } from "../helpers/cli.ts";
import { spawn } from "../../src/core/index.ts";
import { contextIn, repository, temporary } from "../git/repository.ts";
import { startWeb } from "./import-server.ts";
import type { Web } from "./import-server.ts";

const ROOT = join(import.meta.dirname, "../..");
const guide = readFileSync(join(ROOT, "docs/data.md"), "utf8");

interface Example {
  readonly command: string;
  readonly output: string;
}

/** The `console` blocks of the page, in order: `$ command`, then what it prints on stdout. */
const examples = [...guide.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((part): Example => {
      const [command = "", ...output] = part.split("\n");
      return { command, output: output.join("\n").trimEnd() };
    }),
);

const folder = temporary();
let web: Web;

beforeAll(async () => {
  repository(join(folder.path, "r"));
  // The shell finds the command line by its name, as where it is installed.
  writeFileSync(join(folder.path, "lockstep"), `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`);
  chmodSync(join(folder.path, "lockstep"), 0o755);
  web = await startWeb();
  web.pages.set("/prices.csv", { body: Buffer.from("a,b\n1,2\n3,4\n"), etag: '"1"' });
});
afterAll(async () => {
  await web[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test("the page has examples", () => expect(examples.length).toBeGreaterThan(20));

test.each(examples.map((example) => [example.command, example] as const))("$ %s", async (_, { command, output }) => {
  const cwd = join(folder.path, "r");
  const { env } = contextIn(cwd);
  const PATH = [folder.path, env["PATH"]].join(delimiter);
  const run = command.replaceAll("https://example.org", web.url);
  const result = await spawn("bash", ["-c", `set -o pipefail; ${run}`], { cwd, env: { ...env, PATH } });
  expect(result.exitCode, result.stderr).toBe(0);
  const printed = result.stdout.toString().replaceAll(web.url, "https://example.org").trimEnd();
  const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = output.split("...").map(literal).join("[\\s\\S]*");
  expect(printed).toMatch(new RegExp(`^${pattern}$`));
});
