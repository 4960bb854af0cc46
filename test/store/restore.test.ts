import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RelativePath } from "../../src/core/index.ts";
import { copyOutputs, encodeTree, entriesAt, localCache, openStore, restore, snapshot } from "../../src/store/index.ts";
import type { Restorable, Store } from "../../src/store/index.ts";
import { contextIn, makeExecutable, temporary, write } from "../git/repository.ts";
import { collect, must, name256, remove } from "./contract.ts";

type Rig = Disposable & { path: string; context: ReturnType<typeof contextIn>; store: Store; tree: Restorable };

/** A repository whose `data` is stored in a store of its own, packed there, and not in the cache. */
async function rig(): Promise<Rig> {
  const folder = temporary();
  const path = join(folder.path, "repository");
  write(path, { "data/a": "a", "data/b/c.sh": "#!/bin/sh", "data/b/d": "" });
  makeExecutable(join(path, "data/b/c.sh"));
  const context = contextIn(path);
  const store = must(openStore(context, "file:../store"));
  const cache = localCache(context);
  const tree = { path: "data" as RelativePath, ...must(await snapshot(context, "data" as RelativePath, cache)) };
  must(await copyOutputs(context, cache, store, [tree], { condemned: new Set() }));
  rmSync(join(path, ".lockstep/cache"), { recursive: true });
  return { path, context, store, tree, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    names
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [
        name,
        `${statSync(join(folder, name)).mode & 0o100 ? "x " : ""}${readFileSync(join(folder, name), "utf8")}`,
      ]),
  );
}

const whole = { a: "a", "b/c.sh": "x #!/bin/sh", "b/d": "" };

test("a folder comes back as it was, whatever stands in its place", async () => {
  using at = await rig();
  const places: (() => void)[] = [
    () => {},
    () => rmSync(join(at.path, "data"), { recursive: true }),
    () => write(at.path, { "data/a": "edited", "data/new": "new" }),
    () => rmSync(join(at.path, "data/b"), { recursive: true }),
    () => {
      rmSync(join(at.path, "data"), { recursive: true });
      write(at.path, { data: "a file" });
    },
    () => {
      rmSync(join(at.path, "data/b"), { recursive: true });
      write(at.path, { "data/b": "a file" });
    },
    () => makeExecutable(join(at.path, "data/a")),
  ];
  for (const prepare of places) {
    prepare();
    must(await restore(at.context, at.tree, [at.store]));
    expect(contents(join(at.path, "data"))).toEqual(whole);
    expect(must(await snapshot(contextIn(at.path), at.tree.path)).digest).toBe(at.tree.digest);
    expect(readdirSync(join(at.path, ".lockstep/tmp"))).toEqual([]);
  }
});

test("a lone file comes back, in a folder that is not there", async () => {
  using at = await rig();
  const digest = must(await at.store.put(Buffer.from("weights")));
  const output: Restorable = { path: "build/deep/model.onnx" as RelativePath, kind: "file", digest };
  must(await restore(at.context, output, [at.store]));
  expect(readFileSync(join(at.path, output.path), "utf8")).toBe("weights");
  write(at.path, { [output.path]: "edited" });
  must(await restore(at.context, output, [at.store]));
  expect(readFileSync(join(at.path, output.path), "utf8")).toBe("weights");
  expect(readdirSync(join(at.path, "build/deep"))).toEqual(["model.onnx"]);
});

test("what matches is left alone: the very same files, without asking a store for one", async () => {
  using at = await rig();
  const inodes = (): number[] => ["a", "b/c.sh", "b/d"].map((name) => statSync(join(at.path, "data", name)).ino);
  const before = inodes();
  must(await restore(at.context, at.tree, [at.store]));
  expect(inodes()).toEqual(before);
  write(at.path, { "data/new": "in the way" });
  for (const { digest } of await collect(at.store)) if (digest !== at.tree.digest) await remove(at.store, digest);
  must(await restore(at.context, at.tree, [at.store]));
  expect(inodes()).toEqual(before);
  expect(contents(join(at.path, "data"))).toEqual(whole);
});

test("restored files need not be hashed at the next look, and an edit right after is seen", async () => {
  using at = await rig();
  rmSync(join(at.path, "data"), { recursive: true });
  must(await restore(at.context, at.tree, [at.store]));
  // The index is believed, so a lie in it shows that the file was not read.
  const path = join(at.path, ".lockstep/folder-index");
  const index = readFileSync(path);
  const lie = name256(Buffer.from("lie"));
  const lied = Buffer.from(index);
  Buffer.from(lie.slice(7), "hex").copy(lied, index.indexOf(Buffer.from(name256(Buffer.from("a")).slice(7), "hex")));
  writeFileSync(path, lied);
  expect(must(await entriesAt(contextIn(at.path), at.tree.path))?.entries[0]).toMatchObject({ path: "a", digest: lie });
  writeFileSync(path, index);
  for (let round = 0; round < 50; round++) {
    rmSync(join(at.path, "data"), { recursive: true });
    must(await restore(at.context, at.tree, [at.store]));
    writeFileSync(join(at.path, "data/a"), "b");
    expect(must(await snapshot(at.context, at.tree.path)).digest).not.toBe(at.tree.digest);
  }
});

test("a missing or damaged pack, or a size that lies, leaves the old folder as it was", async () => {
  using at = await rig();
  write(at.path, { "data/a": "edited" });
  const before = contents(join(at.path, "data"));
  const pack = must(await at.store.layout(at.tree.digest))!.packs[0]!;
  const bytes = must(await at.store.read(pack));
  damage(at.path, pack, Buffer.alloc(bytes.length));
  expect(await restore(at.context, at.tree, [at.store])).toMatchObject({
    failures: [
      {
        code: "blob-corrupt",
        digest: name256(Buffer.from("a")),
        where: expect.stringMatching(/data\/.*file:\.\.\/store/),
      },
    ],
  });
  await remove(at.store, pack);
  const missing = name256(Buffer.from("a"));
  expect(await restore(at.context, at.tree, [at.store])).toMatchObject({
    failures: [
      { code: "blob-missing", digest: missing, neededBy: "data/a", store: expect.stringContaining(at.store.url) },
    ],
  });
  must(await at.store.put(Buffer.from("")));
  for (const size of [2, 2 ** 40]) {
    const lying = must(encodeTree("t", [{ path: "a", mode: "644", size, digest: name256(Buffer.from("")) }]));
    const digest = must(await at.store.put(lying));
    expect(await restore(at.context, { ...at.tree, digest }, [at.store]), `${size}`).toMatchObject({
      failures: [{ code: "tree-invalid", tree: digest, problem: expect.stringContaining("data/a") }],
    });
  }
  expect(contents(join(at.path, "data"))).toEqual(before);
  expect(readdirSync(join(at.path, ".lockstep/tmp"))).toEqual([]);
});

test("a damaged cache does not hide a good store", async () => {
  using at = await rig();
  const cache = localCache(at.context);
  must(await snapshot(at.context, at.tree.path, cache));
  for (const { digest, size } of await collect(cache)) {
    const path = join(at.path, ".lockstep/cache/v1/blobs/sha256", digest.slice(7, 9), digest.slice(9));
    rmSync(path);
    writeFileSync(path, Buffer.alloc(size, "rubbish"));
  }
  rmSync(join(at.path, "data"), { recursive: true });
  must(await restore(at.context, at.tree, [cache, at.store]));
  expect(contents(join(at.path, "data"))).toEqual(whole);
});

test("a hostile manifest writes nothing, anywhere", async () => {
  using at = await rig();
  for (const path of ["../escaped", "/tmp/escaped", ".git/hooks/pre-commit"]) {
    const text = `{"entries":[{"digest":"${name256(Buffer.from("a"))}","mode":"755","path":"${path}","size":1}],"treeVersion":1}`;
    const digest = must(await at.store.put(Buffer.from(text)));
    expect(await restore(at.context, { ...at.tree, digest }, [at.store])).toMatchObject({
      failures: [{ code: "tree-invalid" }],
    });
  }
  expect(contents(join(at.path, "data"))).toEqual(whole);
  expect(existsSync(join(at.path, "escaped"))).toBe(false);
});

test("an output's path neither leaves the repository nor enters .git, by name or by link", async () => {
  using at = await rig();
  mkdirSync(join(at.path, "../outside"));
  symlinkSync("../outside", join(at.path, "out"));
  for (const path of ["../outside/x", ".git/hooks/x", "sub/.GIT/x", "out/x", "out/deep/x"]) {
    const output = { ...at.tree, path: path as RelativePath };
    expect(await restore(at.context, output, [at.store]), path).toMatchObject({ failures: [{ code: "unsupported" }] });
  }
  expect(readdirSync(join(at.path, "../outside"))).toEqual([]);
  symlinkSync("data", join(at.path, "link"));
  const onLink = await restore(at.context, { ...at.tree, path: "link" as RelativePath }, [at.store]);
  expect(onLink).toMatchObject({ failures: [{ code: "unsupported" }] });
  expect(lstatSync(join(at.path, "link")).isSymbolicLink()).toBe(true);
});

/** Replaces the bytes of a blob in the team's store, behind its back. */
function damage(path: string, digest: string, bytes: Uint8Array): void {
  const file = join(path, "../store/v1/blobs/sha256", digest.slice(7, 9), digest.slice(9));
  rmSync(file);
  writeFileSync(file, bytes);
}
