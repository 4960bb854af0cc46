import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ok } from "../../src/core/index.ts";
import { redact, swapBranch } from "../../src/git/index.ts";
import type { Source, SwapOptions } from "../../src/git/index.ts";
import { contextIn, origin, sh, temporary, write } from "./repository.ts";

const author = { name: "Bot <x>\n", email: "bot@example.com" };
const bytes = (text: string): Uint8Array => Buffer.from(text);
const put = (files: Record<string, string | null>): SwapOptions["change"] => {
  const entries = Object.entries(files).map(([path, text]) => [path, text === null ? null : bytes(text)] as const);
  return () => Promise.resolve(ok({ message: "change\n\nbody", files: new Map(entries) }));
};

function clone(folder: string, from: string, name: string, ...options: string[]): string {
  sh(folder, "clone", "--quiet", ...options, from, name);
  return join(folder, name);
}

test("ten writers in ten clones lose no update", async () => {
  using folder = temporary();
  const bare = origin(folder.path);
  const writers = Array.from({ length: 10 }, (_, at) => clone(folder.path, bare, `clone${at}`));
  let calls = 0;
  const results = await Promise.all(
    writers.map((cwd, at) =>
      swapBranch(contextIn(cwd), {
        remote: "origin",
        branch: "counter",
        orphan: true,
        author,
        change: async (current) => {
          calls++;
          const list = await textOf(current, "list");
          const count = Number((await textOf(current, "count")) || "0");
          const files = { list: `${list}${at}\n`, count: String(count + 1), [`own/${at}`]: "" };
          return put(files)(current);
        },
      }),
    ),
  );
  expect(results.map((result) => result.ok && result.value.changed)).toEqual(Array(10).fill(true));
  expect(sh(bare, "show", "counter:count")).toBe("10");
  const lines = sh(bare, "show", "counter:list").split("\n");
  expect(lines.map(Number).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(sh(bare, "ls-tree", "--name-only", "counter:own").split("\n")).toHaveLength(10);
  expect(sh(bare, "rev-list", "--count", "counter")).toBe("10");
  expect(calls, "nobody lost a race: this test proves nothing").toBeGreaterThan(10);
  for (const cwd of writers) expect(sh(cwd, "for-each-ref", "refs/lockstep")).toBe("");
});

test("ten writers in one shallow clone lose no update", async () => {
  using folder = temporary();
  const bare = origin(folder.path);
  const cwd = clone(folder.path, `file://${bare}`, "one", "--depth=1");
  const change: SwapOptions["change"] = async (current) =>
    put({ count: String(Number((await textOf(current, "count")) || "0") + 1) })(current);
  const writers = Array.from({ length: 10 }, () =>
    swapBranch(contextIn(cwd), { remote: "origin", branch: "n", orphan: true, author, change }),
  );
  for (const result of await Promise.all(writers)) expect(result).toMatchObject({ ok: true });
  expect(sh(bare, "show", "n:count")).toBe("10");
  expect(sh(bare, "rev-list", "--count", "n")).toBe("10");
});

test("neither the working tree nor the index nor HEAD is touched", async () => {
  using folder = temporary();
  const cwd = clone(folder.path, origin(folder.path), "work");
  write(cwd, { "README.md": "edited\n", "new.txt": "new" });
  sh(cwd, "add", "new.txt");
  const state = (): string =>
    sh(cwd, "status", "--porcelain") + sh(cwd, "rev-parse", "HEAD") + sh(cwd, "ls-files", "-s");
  const before = state();
  const result = await swapBranch(contextIn(cwd), {
    remote: "origin",
    branch: "main",
    author,
    change: put({ "lock.json": "{}\n" }),
  });
  expect(result).toMatchObject({ ok: true, value: { changed: true } });
  expect(state()).toBe(before);
  expect(sh(cwd, "ls-remote", "origin", "refs/heads/main")).toContain(result.ok ? result.value.commit : "?");
});

test("a change keeps modes, deletes, quotes odd paths, and is authored as told", async () => {
  using folder = temporary();
  const bare = origin(folder.path);
  const cwd = clone(folder.path, bare, "work");
  const swap = (change: SwapOptions["change"]): ReturnType<typeof swapBranch> =>
    swapBranch(contextIn(cwd), { remote: "origin", branch: "main", author, change });
  write(cwd, { "run.sh": "one" });
  chmodSync(join(cwd, "run.sh"), 0o755);
  sh(cwd, "add", "--all");
  sh(cwd, "commit", "--quiet", "--message=script");
  sh(cwd, "push", "--quiet", "origin", "main");
  const odd = 'dir/a "b\\c\nd ü';
  expect(await swap(put({ "run.sh": "two", "README.md": null, "dir/plain": "p" }))).toMatchObject({ ok: true });
  expect(await swap(put({ [odd.replaceAll("\\", "")]: "odd" }))).toMatchObject({ ok: true });
  expect(sh(bare, "ls-tree", "-r", "-z", "main").split("\0").filter(Boolean).map(fields)).toEqual([
    ["100644", 'dir/a "bc\nd ü'],
    ["100644", "dir/plain"],
    ["100755", "run.sh"],
  ]);
  expect(sh(bare, "log", "-1", "--format=%an|%ae|%cn|%aI|%B", "main")).toBe(
    "Bot x|bot@example.com|Bot x|2026-01-02T03:04:05+00:00|change\n\nbody",
  );
});

test("a change that changes nothing makes no commit", async () => {
  using folder = temporary();
  const bare = origin(folder.path);
  const cwd = clone(folder.path, bare, "work");
  const head = sh(bare, "rev-parse", "main");
  for (const change of [put({ "README.md": "hello\n" }), () => Promise.resolve(ok(undefined))]) {
    const result = await swapBranch(contextIn(cwd), { remote: "origin", branch: "main", author, change });
    expect(result).toEqual({ ok: true, value: { commit: head, changed: false } });
  }
});

test("a branch that is not there starts as told, or is a failure", async () => {
  using folder = temporary();
  const bare = origin(folder.path);
  const cwd = clone(folder.path, bare, "work");
  const options = { remote: "origin", author, change: put({ x: "x" }) };
  const context = contextIn(cwd);
  expect(await swapBranch(context, { ...options, branch: "none" })).toMatchObject({
    failures: [{ code: "unknown-name", name: "none" }],
  });
  expect(await swapBranch(context, { ...options, branch: "orphan", orphan: true })).toMatchObject({ ok: true });
  expect(await swapBranch(context, { ...options, branch: "from", startFrom: "HEAD" })).toMatchObject({ ok: true });
  expect(sh(bare, "rev-list", "--count", "orphan")).toBe("1");
  expect(sh(bare, "ls-tree", "--name-only", "orphan")).toBe("x");
  expect(sh(bare, "rev-parse", "from^")).toBe(sh(bare, "rev-parse", "main"));
});

test("without a remote the branch of the repository itself moves", async () => {
  using folder = temporary();
  const cwd = clone(folder.path, origin(folder.path), "work");
  const result = await swapBranch(contextIn(cwd), {
    remote: ".",
    branch: "records",
    orphan: true,
    author,
    change: put({ x: "x" }),
  });
  expect(result).toMatchObject({ ok: true, value: { changed: true } });
  expect(sh(cwd, "show", "records:x")).toBe("x");
});

test("a server that declines is told at once, in its words", async () => {
  using folder = temporary();
  const bare = origin(folder.path);
  const cwd = clone(folder.path, bare, "work");
  const hook = join(bare, "hooks", "pre-receive");
  writeFileSync(hook, "#!/bin/sh\necho this branch is protected >&2\nexit 1\n", { mode: 0o755 });
  const result = await swapBranch(contextIn(cwd), {
    remote: "origin",
    branch: "main",
    author,
    change: put({ x: "x" }),
  });
  expect(result).toMatchObject({
    ok: false,
    failures: [{ code: "git", stderr: expect.stringContaining("this branch is protected") }],
  });
});

test("a branch that moves under every attempt is swap-lost", async () => {
  using folder = temporary();
  const bare = origin(folder.path);
  const cwd = clone(folder.path, bare, "work");
  const rival = clone(folder.path, bare, "rival");
  const result = await swapBranch(contextIn(cwd), {
    remote: "origin",
    branch: "main",
    author,
    attempts: 3,
    change: (current) => {
      sh(rival, "commit", "--quiet", "--allow-empty", "--message=rival");
      sh(rival, "push", "--quiet", "origin", "main");
      return put({ x: "x" })(current);
    },
  });
  expect(result).toMatchObject({ ok: false, failures: [{ code: "swap-lost", attempts: 3 }] });
  expect(sh(bare, "log", "--format=%s", "main").split("\n")).toEqual(["rival", "rival", "rival", "first"]);
});

test("paths that leave the repository or enter .git are refused", async () => {
  using folder = temporary();
  const cwd = clone(folder.path, origin(folder.path), "work");
  for (const path of ["../x", "/etc/x", ".git/config", "a/.GIT/hooks/x", ""]) {
    const options = { remote: "origin", branch: "main", author, change: put({ [path]: "x" }) };
    const result = await swapBranch(contextIn(cwd), options);
    expect(result, path).toMatchObject({ ok: false, failures: [{ code: "unsupported" }] });
  }
});

test("a hook's GIT_DIR and GIT_INDEX_FILE lead nowhere else", async () => {
  using folder = temporary();
  const bare = origin(folder.path);
  const cwd = clone(folder.path, bare, "work");
  const index = join(folder.path, "elsewhere-index");
  const context = contextIn(cwd, { GIT_DIR: join(folder.path, "nowhere"), GIT_INDEX_FILE: index });
  const result = await swapBranch(context, { remote: "origin", branch: "main", author, change: put({ x: "x" }) });
  expect(result).toMatchObject({ ok: true });
  expect(existsSync(index)).toBe(false);
});

test("a head that is known is tried before anything is fetched; where it is not the head, nothing is lost", async () => {
  using folder = temporary();
  const bare = origin(folder.path);
  const [cwd, other] = [clone(folder.path, bare, "one"), clone(folder.path, bare, "other")];
  const seen: string[] = [];
  const events: string[] = [];
  const swap = async (at: string, name: string, known?: string): Promise<string> => {
    const swapped = await swapBranch(contextIn(at), {
      remote: "origin",
      branch: "list",
      orphan: true,
      author,
      ...(known === undefined ? {} : { known }),
      meanwhile: () => events.push(`${name} sent`),
      change: async (current) => {
        const list = await textOf(current, "list");
        seen.push(`${name} on ${list.trim().replaceAll("\n", "+")}`);
        return list.includes(name) ? ok(undefined) : put({ list: `${list}${name}\n` })(current);
      },
    });
    expect(swapped).toMatchObject({ ok: true });
    return swapped.ok ? swapped.value.commit : "";
  };
  const first = await swap(cwd, "a", "");
  const second = await swap(cwd, "b", first);
  const third = await swap(other, "c");
  expect(await swap(cwd, "d", second)).toBe(sh(bare, "rev-parse", "list"));
  expect(sh(bare, "show", "list:list").split("\n")).toEqual(["a", "b", "c", "d"]);
  // What was there in the head that is known may have gone since.
  expect(await swap(other, "c", third)).toBe(sh(bare, "rev-parse", "list"));
  expect(seen).toEqual(["a on ", "b on a", "c on a+b", "d on a+b", "d on a+b+c", "c on a+b+c", "c on a+b+c+d"]);
  expect(events).toEqual(["a sent", "b sent", "c sent", "d sent", "d sent"]);
});

test("credentials in a URL do not reach a message", () => {
  expect(redact("fatal: https://bot:s3cret@host/x.git and http://tok@h/y")).toBe(
    "fatal: https://***@host/x.git and http://***@h/y",
  );
});

async function textOf(source: Source | undefined, path: string): Promise<string> {
  const read = await source?.read(path);
  return read?.ok ? (read.value?.toString() ?? "") : "";
}

function fields(line: string): [string, string] {
  const match = /^(\d+) \w+ \w+\t(.*)$/s.exec(line);
  return [match?.[1] ?? "", match?.[2] ?? ""];
}
