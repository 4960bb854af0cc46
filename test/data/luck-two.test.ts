import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { changeDataLock } from "../../src/data/lock.ts";
import { ok, startOf } from "../../src/core/index.ts";
import { contextIn, repository, temporary, write } from "../git/repository.ts";
import { startLockstep } from "../helpers/cli.ts";

const names = ["a", "b", "c", "d", "e", "f"];

test("datasets that are added at once are all in the lockfile and in .gitignore", async () => {
  using folder = temporary();
  const path = repository(join(folder.path, "work"));
  for (const name of names) write(path, { [`data/${name}/x`]: name });
  const ended = await Promise.all(names.map((name) => startLockstep(path, ["data", "add", `data/${name}`]).ended));
  expect(ended.map(({ exitCode, stderr }) => (exitCode === 0 ? 0 : stderr))).toEqual(names.map(() => 0));
  const { datasets } = JSON.parse(readFileSync(join(path, "data.lock.json"), "utf8")) as { datasets: object };
  expect(Object.keys(datasets)).toEqual(names);
  const ignored = readFileSync(join(path, ".gitignore"), "utf8").trim().split("\n");
  expect(ignored.sort()).toEqual(names.map((name) => `/data/${name}`));
  expect(existsSync(join(path, ".lockstep/data.lock"))).toBe(false);
});

test("whoever died while it changed the lockfile is not waited for", async () => {
  using folder = temporary();
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  const holder = { pid: child.pid, host: hostname(), start: startOf(child.pid!) ?? null };
  child.kill("SIGKILL");
  await once(child, "exit");
  mkdirSync(join(folder.path, ".lockstep"));
  writeFileSync(join(folder.path, ".lockstep/data.lock"), JSON.stringify(holder));
  expect(await changeDataLock(contextIn(folder.path), async () => ok("done"))).toEqual(ok("done"));
});

test("changes of the lockfile wait for one another, and waiting ends when it is interrupted", async () => {
  using folder = temporary();
  const context = contextIn(folder.path);
  let inside = 0;
  const most = await Promise.all(
    names.map(async () =>
      changeDataLock(context, async () => {
        const together = ++inside;
        await new Promise(setImmediate);
        inside--;
        return ok(together);
      }),
    ),
  );
  expect(most).toEqual(names.map(() => ok(1)));
  const interrupted = { ...context, signal: AbortSignal.abort() };
  const waiting = await changeDataLock(context, async () => ok(await changeDataLock(interrupted, async () => ok(1))));
  expect(waiting).toMatchObject({ value: { ok: false, failures: [{ code: "interrupted" }] } });
});
