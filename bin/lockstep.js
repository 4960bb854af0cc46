#!/usr/bin/env node
// The entry every installation shares. Plain JavaScript that an old Node can read, because its first task is to find
// a Node that can run the rest: TypeScript as it is (development), or the built command line (installed).
import { existsSync } from "node:fs";
import { spawn } from "node:child_process";
import module, { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const NEEDED = 24;

if (Number(process.versions.node.split(".")[0]) >= NEEDED) {
  if (module.enableCompileCache) module.enableCompileCache();
  const source = new URL("../src/cli/main.ts", import.meta.url);
  const entry = existsSync(source) ? source : new URL("../dist/cli.js", import.meta.url);
  const { main } = await import(entry.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  runWithOwnNode();
}

function runWithOwnNode() {
  const node = ownNode();
  if (node === undefined) {
    console.error(
      `lockstep needs Node ${NEEDED} or later, and this is ${process.version}.\n` +
        `  hint: install Node ${NEEDED}, or add it to the project: npm install --save-dev node@${NEEDED}`,
    );
    process.exitCode = 2;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code === null ? 128 + (constants.signals[signal] || 0) : code;
  });
}

/** The binary of the `node` package beside this one or in the project around the current folder. */
function ownNode() {
  for (const from of [import.meta.url, `${process.cwd()}/package.json`]) {
    try {
      const binary = `${dirname(createRequire(from).resolve("node/package.json"))}/bin/node`;
      if (existsSync(binary)) return binary;
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND" && error.code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw error;
    }
  }
  return undefined;
}
