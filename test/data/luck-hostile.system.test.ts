import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileJson } from "../../src/core/index.ts";
import type { Digest } from "../../src/core/index.ts";
import { digestBytes } from "../../src/store/digest-table.ts";
import { bodyOf } from "../../src/store/driver.ts";
import type { FileDriver } from "../../src/store/drivers/file.ts";
import { openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { LayoutBuilder } from "../../src/store/layout.ts";
import { PACK_MAGIC, packIndex } from "../../src/store/pack.ts";
import { contextIn, repository, temporary, write } from "../git/repository.ts";
import { startLockstep } from "../helpers/cli.ts";
import { must, name256 } from "../store/contract.ts";
import { keyOf, layoutOf } from "./gc-rig.ts";

/** A working copy, and a team's store that an enemy can write to. */
function victim(): Disposable & {
  folder: string;
  work: string;
  team: Store;
  pull(): ReturnType<typeof startLockstep>["ended"];
} {
  const folder = temporary();
  const work = join(folder.path, "work");
  repository(work, { ".github/lockstep.yml": "version: 1\nstore: file:../team\n" });
  return {
    folder: folder.path,
    work,
    team: must(openStore(contextIn(work), "file:../team")),
    pull: async () =>
      startLockstep(work, ["data", "pull"], { env: { NODE_OPTIONS: "--max-old-space-size=160" } }).ended,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

function pathIn(store: Store, key: Parameters<FileDriver["pathOf"]>[0]): string {
  return (store.driver as FileDriver).pathOf(key);
}

function lock(work: string, digest: Digest, kind: "tree" | "file" = "tree", size = 3): void {
  const dataset = { path: "data/d", kind, digest, size, files: 1 };
  write(work, { "data.lock.json": fileJson({ lockfileVersion: 1, datasets: { d: dataset } }) });
}

interface Entry {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
}

/** A manifest that nobody checked. */
function manifest(entries: readonly Entry[]): Buffer {
  const lines = entries.map(
    ({ digest, path, size }) => `{"digest":"${digest}","mode":"644","path":${JSON.stringify(path)},"size":${size}}`,
  );
  return Buffer.from(`{"entries":[${lines.join(",")}],"treeVersion":1}`);
}

/** A pack of these texts, and where each lies in it. */
async function pack(store: Store, texts: readonly string[]): Promise<{ pack: Digest; offsets: number[] }> {
  const parts = texts.map((text) => Buffer.from(text));
  const index = packIndex(parts.map((bytes) => ({ digest: digestBytes(name256(bytes)), length: bytes.length })));
  const offsets = parts.map((_, at) => PACK_MAGIC.length + Buffer.concat(parts.slice(0, at)).length);
  return { pack: must(await store.put(Buffer.concat([PACK_MAGIC, ...parts, index]))), offsets };
}

async function putLayout(store: Store, root: Digest, bytes: Buffer): Promise<void> {
  must(await store.driver.put(layoutOf(root), bodyOf(bytes, name256(bytes)), { replace: true }));
}

const ABC = name256(Buffer.from("abc"));

async function refused(at: ReturnType<typeof victim>, message: RegExp): Promise<string> {
  const before = readdirSync(at.folder);
  const { exitCode, stderr } = await at.pull();
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain("bug in Lockstep");
  expect([1, 2, 3]).toContain(exitCode);
  expect(existsSync(join(at.work, "data/d"))).toBe(false);
  expect(readdirSync(at.folder)).toEqual(before);
  expect(existsSync(join(at.work, ".lockstep/tmp")) ? readdirSync(join(at.work, ".lockstep/tmp")) : []).toEqual([]);
  return stderr;
}

describe("a manifest from a store", () => {
  test.each([
    "../x",
    "a/../../../x",
    "/tmp/lockstep-x",
    ".git/hooks/post-checkout",
    "a\\..\\x",
    "a//b",
    "",
    "C:/x",
    "a\0b",
  ])("with the path %j is refused by name, and nothing is written", async (path) => {
    using at = victim();
    must(await at.team.put(Buffer.from("abc")));
    const root = must(await at.team.put(manifest([{ path, digest: ABC, size: 3 }])));
    lock(at.work, root);
    await refused(at, new RegExp(`${root}.*not a tree`));
    expect(existsSync(join(at.work, ".git/hooks/post-checkout"))).toBe(false);
  });

  test("that is larger than any folder is not read into memory", async () => {
    using at = victim();
    const root = name256(Buffer.from("a billion entries"));
    write(at.work, {});
    must(await at.team.put(Buffer.from("abc")));
    const path = pathIn(at.team, keyOf(root));
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "");
    truncateSync(path, 130 * 1024 ** 3);
    lock(at.work, root);
    await refused(at, new RegExp(`${root}: more than the \\d+ bytes`));
  });

  test("whose sizes lie is refused with the file's name", async () => {
    using at = victim();
    must(await at.team.put(Buffer.from("abc")));
    for (const size of [0, 2, 4, 2 ** 52]) {
      const root = must(await at.team.put(manifest([{ path: "liar", digest: ABC, size }])));
      lock(at.work, root);
      await refused(at, /data\/d\/liar/);
    }
  });
});

test("a link in the working tree that leads out is not followed", async () => {
  using at = victim();
  must(await at.team.put(Buffer.from("abc")));
  lock(at.work, must(await at.team.put(manifest([{ path: "a", digest: ABC, size: 3 }]))));
  mkdirSync(join(at.folder, "outside"));
  symlinkSync("../outside", join(at.work, "data"));
  await refused(at, /data\/d.*link/);
  expect(readdirSync(join(at.folder, "outside"))).toEqual([]);
});

describe("a layout from a store", () => {
  const tree = manifest([{ path: "file", digest: ABC, size: 3 }]);
  const root = name256(tree);
  const placed = (place: { pack?: Digest; offset: number; length: number }): Buffer => {
    const layout = new LayoutBuilder();
    layout.add(digestBytes(ABC), 0, place);
    return layout.encode();
  };

  test.each([
    [
      "says a billion parts",
      Buffer.from('lockstep-layout/1\n{"files":0,"layoutVersion":1,"packs":[],"parts":1000000000}\n'),
    ],
    ["is cut short", placed({ offset: 0, length: 3 }).subarray(0, -1)],
    ["is of another version", Buffer.from("lockstep-layout/9\n{}\n")],
    ["is noise", Buffer.alloc(1000, 7)],
    ["is empty", Buffer.alloc(0)],
  ])("that %s is refused by its root", async (_, bytes) => {
    using at = victim();
    must(await at.team.put(tree));
    await putLayout(at.team, root, bytes);
    lock(at.work, root);
    await refused(at, new RegExp(`layout of ${root}`));
  });

  test.each([
    ["beyond the end of its pack", { offset: 1_000_000, length: 3 }],
    ["over the end of its pack", { offset: 60, length: 4_000_000 }],
    ["where other bytes lie", { offset: 17, length: 3 }],
    ["with another length", { offset: 16, length: 4 }],
  ])("that places a file %s is refused with the file and the pack", async (_, place) => {
    using at = victim();
    const made = await pack(at.team, ["abc", "x".repeat(10)]);
    must(await at.team.put(tree));
    await putLayout(at.team, root, placed({ pack: made.pack, ...place }));
    lock(at.work, root);
    const said = await refused(at, /data\/d\/file/);
    // A length that its own tree denies is refused before the pack is asked for.
    expect(said).toContain((place.length === 3 ? made.pack : root).slice(7));
  });

  test("with chunks that are not the file is refused with the file's name", async () => {
    using at = victim();
    const chunk = must(await at.team.put(Buffer.alloc(100, 1)));
    const big = manifest([{ path: "big", digest: ABC, size: 300 }]);
    must(await at.team.put(big));
    const layout = new LayoutBuilder();
    layout.add(digestBytes(chunk), 0, { offset: 0, length: 100 });
    layout.addChunked(ABC, 300, [chunk, chunk, chunk]);
    await putLayout(at.team, name256(big), layout.encode());
    lock(at.work, name256(big));
    await refused(at, /data\/d\/big.*put together/);
  });

  test.each(["tree", "file"] as const)("whose chunks would make a %s of terabytes writes none of it", async (kind) => {
    using at = victim();
    const chunk = must(await at.team.put(Buffer.alloc(8 * 1024 * 1024)));
    const many = 1_000_000;
    const layout = new LayoutBuilder();
    layout.add(digestBytes(chunk), 0, { offset: 0, length: 8 * 1024 * 1024 });
    layout.addChunked(
      ABC,
      many * 8 * 1024 * 1024,
      Array.from({ length: many }, () => chunk),
    );
    const small =
      kind === "tree" ? must(await at.team.put(manifest([{ path: "big", digest: ABC, size: 9_000_000 }]))) : ABC;
    await putLayout(at.team, small, layout.encode());
    lock(at.work, small, kind, 9_000_000);
    await refused(at, /data\/d|layout of/);
  });
});

describe("damage", () => {
  const texts = ["abc", "y".repeat(2000), "z".repeat(3000)];
  const tree = manifest(
    texts.map((text, at) => ({ path: `f${at}`, digest: name256(Buffer.from(text)), size: text.length })),
  );
  const prepared = async (at: ReturnType<typeof victim>): Promise<string> => {
    const made = await pack(at.team, texts);
    const layout = new LayoutBuilder();
    for (const [number, text] of texts.entries()) {
      const place = { pack: made.pack, offset: made.offsets[number]!, length: text.length };
      layout.add(digestBytes(name256(Buffer.from(text))), 0, place);
    }
    await putLayout(at.team, name256(tree), layout.encode());
    must(await at.team.put(tree));
    lock(at.work, name256(tree));
    return pathIn(at.team, keyOf(made.pack));
  };
  const damage = (path: string, change: (bytes: Buffer) => Buffer): void => {
    const bytes = readFileSync(path);
    chmodSync(path, 0o644);
    writeFileSync(path, change(bytes));
  };
  const flip = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, at) => (at === 100 ? byte ^ 1 : byte)));

  test.each([
    ["a flipped byte", flip],
    ["a cut end", (bytes: Buffer) => bytes.subarray(0, 1000)],
    ["no bytes", () => Buffer.alloc(0)],
  ])(
    "of the store's pack (%s) is told with file and blob; the good copy that comes back is taken",
    async (_, change) => {
      using at = victim();
      const path = await prepared(at);
      const good = readFileSync(path);
      damage(path, change);
      const said = await refused(at, /data\/d\/f0/);
      expect(said).toContain(name256(good).slice(7));
      damage(path, () => good);
      expect(await at.pull()).toMatchObject({ exitCode: 0 });
      expect(texts.map((_text, n) => readFileSync(join(at.work, `data/d/f${n}`), "utf8"))).toEqual(texts);
    },
  );

  test("of the cache is mended from the store, and told where there is no store to mend it from", async () => {
    using at = victim();
    const path = await prepared(at);
    expect(await at.pull()).toMatchObject({ exitCode: 0 });
    const cached = path.replace(join(at.folder, "team"), join(at.work, ".lockstep/cache"));
    damage(cached, flip);
    write(at.work, { "data/d/f1": "y".repeat(2000) + "more" });
    const args = ["data", "checkout", "--force"];
    const mended = await startLockstep(at.work, args).ended;
    expect(mended).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("data/d/f1 was damaged") });
    expect(readFileSync(join(at.work, "data/d/f1"), "utf8")).toBe(texts[1]);
  });

  test("of the cache with no good copy anywhere keeps the working tree as it is", async () => {
    using at = victim();
    const path = await prepared(at);
    expect(await at.pull()).toMatchObject({ exitCode: 0 });
    damage(path.replace(join(at.folder, "team"), join(at.work, ".lockstep/cache")), flip);
    damage(path, flip);
    write(at.work, { "data/d/f1": "edited" });
    const lost = await startLockstep(at.work, ["data", "checkout", "--force"]).ended;
    expect(lost.exitCode).toBe(3);
    expect(lost.stderr).toMatch(/data\/d\/f1.*/);
    expect(lost.stderr).toContain(name256(Buffer.from(texts[1]!)));
    expect(readFileSync(join(at.work, "data/d/f1"), "utf8")).toBe("edited");
  });
});
