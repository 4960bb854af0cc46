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
import { copyOutputs, encodeTree, localCache, openStore, restore, snapshot } from "../../src/store/index.ts";
import type { Restorable, Store } from "../../src/store/index.ts";
import { contextIn, makeExecutable, temporary, write } from "../git/repository.ts";
import { collect, must, name256 } from "./contract.ts";

type Rig = Disposable & { path: string; context: ReturnType<typeof contextIn>; store: Store; tree: Restorable };

/** A repository whose `data` is stored, in a store of its own. */
async function rig(): Promise<Rig> {
  const folder = temporary();
  const path = join(folder.path, "repository");
  write(path, { "data/a": "a", "data/b/c.sh": "#!/bin/sh", "data/b/d": "" });
  makeExecutable(join(path, "data/b/c.sh"));
  const context = contextIn(path);
  const store = must(openStore(context, "file:../store"));
  const tree = { path: "data" as RelativePath, ...must(await snapshot(context, "data" as RelativePath, store)) };
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
  const keep = name256(Buffer.from("a"));
  must(await at.store.delete(keep)); // needed by a file that is right already
  must(await restore(at.context, at.tree, [at.store]));
  expect(inodes()).toEqual(before);
  expect(contents(join(at.path, "data"))).toEqual(whole);
});

test("restored files need not be hashed at the next look, and an edit right after is seen", async () => {
  using at = await rig();
  rmSync(join(at.path, "data"), { recursive: true });
  must(await restore(at.context, at.tree, [at.store]));
  const index = readFileSync(join(at.path, ".lockstep/stat-index"), "utf8");
  for (const name of Object.keys(whole)) expect(index).toContain(` data/${name}\n`);
  expect(must(await snapshot(contextIn(at.path), at.tree.path)).digest).toBe(at.tree.digest);
  for (let round = 0; round < 50; round++) {
    rmSync(join(at.path, "data"), { recursive: true });
    must(await restore(at.context, at.tree, [at.store]));
    writeFileSync(join(at.path, "data/a"), "b");
    expect(must(await snapshot(at.context, at.tree.path)).digest).not.toBe(at.tree.digest);
  }
});

test("a missing or damaged blob, or a size that lies, leaves the old folder as it was", async () => {
  using at = await rig();
  write(at.path, { "data/a": "edited" });
  const before = contents(join(at.path, "data"));
  const missing = name256(Buffer.from("a"));
  must(await at.store.delete(missing));
  expect(await restore(at.context, at.tree, [at.store])).toMatchObject({
    failures: [{ code: "blob-missing", digest: missing, neededBy: "data/a", store: at.store.url }],
  });
  const lying = must(encodeTree("t", [{ path: "a", mode: "644", size: 2, digest: name256(Buffer.from("")) }]));
  const digest = must(await at.store.put(lying));
  expect(await restore(at.context, { ...at.tree, digest }, [at.store])).toMatchObject({
    failures: [{ code: "tree-invalid", tree: digest }],
  });
  expect(contents(join(at.path, "data"))).toEqual(before);
  expect(readdirSync(join(at.path, ".lockstep/tmp"))).toEqual([]);
});

test("a damaged cache does not hide a good store", async () => {
  using at = await rig();
  const cache = localCache(at.context);
  must(await copyOutputs(at.context, at.store, cache, [at.tree]));
  for (const { digest } of await collect(cache)) {
    const path = join(at.path, ".lockstep/cache/v1/blobs/sha256", digest.slice(7, 9), digest.slice(9));
    rmSync(path);
    writeFileSync(path, "rubbish");
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

test("copyOutputs sends files before the tree that names them, and only what lacks", async () => {
  using at = await rig();
  const context = contextIn(at.path);
  const other = must(openStore(context, "file:../other"));
  const order: string[] = [];
  const watched: Store = {
    ...other,
    put: async (bytes) => {
      const stored = await other.put(bytes);
      order.push(must(stored));
      return stored;
    },
  };
  must(await other.put(Buffer.from("a")));
  expect(must(await copyOutputs(context, at.store, watched, [at.tree]))).toMatchObject({ blobs: 3 });
  expect(order.at(-1)).toBe(at.tree.digest);
  expect(must(await copyOutputs(context, at.store, other, [at.tree]))).toEqual({ blobs: 0, bytes: 0 });
  expect(await collect(other)).toEqual(await collect(at.store));
});

test("a large blob is copied too, and nothing of it stays behind", async () => {
  using at = await rig();
  const other = must(openStore(at.context, "file:../other"));
  const bytes = Buffer.alloc(3_000_000, "large");
  const digest = must(await at.store.put(bytes));
  const copied = must(await copyOutputs(at.context, at.store, other, [{ kind: "file", digest }]));
  expect(copied).toEqual({ blobs: 1, bytes: bytes.length });
  expect(must(await other.read(digest)).equals(bytes)).toBe(true);
  expect(readdirSync(join(at.path, ".lockstep/tmp"))).toEqual([]);
  const absent = name256(Buffer.from("absent"));
  expect(await copyOutputs(at.context, at.store, other, [{ kind: "file", digest: absent }])).toMatchObject({
    failures: [{ code: "blob-missing", digest: absent }],
  });
});
