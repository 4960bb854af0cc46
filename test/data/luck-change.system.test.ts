import { appendFileSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Context, ProgressEvent } from "../../src/core/index.ts";
import { addData, loadDataLock } from "../../src/data/index.ts";
import { workingTree } from "../../src/git/index.ts";
import { localCache, snapshot } from "../../src/store/index.ts";
import { contextIn, repository, temporary, write } from "../git/repository.ts";
import { keysOf, wrongIn } from "../store/luck/scenes.ts";
import { must, name256 } from "../store/contract.ts";

/** A context that does something when the work first tells how far it is. */
function whenReading(path: string, act: () => void): Context {
  let acted = false;
  const emit = (event: ProgressEvent): void => {
    if (acted || event.type !== "progress" || event.done === 0) return;
    acted = true;
    act();
  };
  return { ...contextIn(path), emit };
}

describe("a file that is read while something happens to it", () => {
  const MB = 1024 * 1024;
  // Small files are read in groups of 4 MiB, two for each core ahead; a large one in pieces, 24 MiB ahead. So the last
  // bytes are not read yet at the first news.
  const small = 2 * (2 * availableParallelism() + 4);
  const kinds: Record<string, (path: string) => string> = {
    "in a folder, small": (path) => {
      for (let at = 0; at < small; at++) {
        write(path, { [`data/d/${100 + at}`]: "" });
        truncateSync(join(path, `data/d/${100 + at}`), 2 * MB - 1);
      }
      return `data/d/${99 + small}`;
    },
    "in a folder, large": (path) => {
      write(path, { "data/d/large": "" });
      truncateSync(join(path, "data/d/large"), 36 * MB);
      return "data/d/large";
    },
    "alone, large": (path) => {
      write(path, { "data/d": "" });
      truncateSync(join(path, "data/d"), 36 * MB);
      return "data/d";
    },
  };
  const happenings: Record<string, (file: string) => void> = {
    grows: (file) => appendFileSync(file, "more"),
    shrinks: (file) => truncateSync(file, 10),
    "is written to in place": (file) => utimesSync(file, 1, 1),
  };
  test.each(
    Object.keys(kinds).flatMap((kind) => Object.keys(happenings).map((happening) => [kind, happening] as const)),
  )("%s: it %s, and nothing is published; the next add is right", async (kind, happening) => {
    using folder = temporary();
    const path = repository(join(folder.path, "work"));
    const file = kinds[kind]!(path);
    const context = whenReading(path, () => happenings[happening]!(join(path, file)));
    const result = await addData(context, { path: "data/d" });
    expect(result).toMatchObject({ ok: false, failures: [{ code: "file-changed", path: file }] });
    expect(must(await loadDataLock(workingTree(context))).datasets).toEqual({});
    expect((await keysOf(localCache(context))).filter((key) => key.startsWith("layouts/"))).toEqual([]);
    const again = contextIn(path);
    const { dataset } = must(await addData(again, { path: "data/d" }));
    expect(await wrongIn(localCache(again), [dataset])).toEqual([]);
  });

  test("vanishes: it is named, and the next add goes without it", async () => {
    using folder = temporary();
    const path = repository(join(folder.path, "work"));
    const file = kinds["in a folder, small"]!(path);
    const context = whenReading(path, () => rmSync(join(path, file)));
    const result = await addData(context, { path: "data/d" });
    expect(result).toMatchObject({ ok: false, failures: [{ code: "file-changed", path: file }] });
    expect(must(await addData(contextIn(path), { path: "data/d" })).dataset.files).toBe(small - 1);
  });
});

describe("clocks", () => {
  test("times in the future, the past and 1970, and a wrong clock, change no digest and hide no edit", async () => {
    using folder = temporary();
    const path = repository(join(folder.path, "work"));
    write(path, { "data/d/a": "a1", "data/d/b": "b1", "data/lone": "l1" });
    const digests = new Set<string>();
    for (const seconds of [undefined, 0, 1, -86_400, 4_000_000_000, 951_868_800]) {
      for (const file of ["data/d/a", "data/d/b", "data/lone"]) {
        if (seconds !== undefined) utimesSync(join(path, file), seconds, seconds);
      }
      for (const now of ["1970-01-01", "2000-02-29", "2199-12-31"]) {
        const context = { ...contextIn(path), now: () => new Date(now) };
        const [tree, lone] = [
          await snapshot(context, "data/d" as never),
          await snapshot(context, "data/lone" as never),
        ];
        digests.add(`${must(tree).digest} ${must(lone).digest}`);
        // The same size and the same time: only the change time tells.
        write(path, { "data/d/a": "a2" });
        if (seconds !== undefined) utimesSync(join(path, "data/d/a"), seconds, seconds);
        const edited = must(await snapshot(contextIn(path), "data/d" as never));
        expect(edited.digest, `${seconds} ${now}`).not.toBe(must(tree).digest);
        write(path, { "data/d/a": "a1" });
        if (seconds !== undefined) utimesSync(join(path, "data/d/a"), seconds, seconds);
      }
    }
    expect(digests.size).toBe(1);
  });

  test("whatever is written, touched and renamed, as fast as it goes: no digest is ever of former bytes", async () => {
    const name = fc.constantFrom("a", "b", "sub/c");
    const action = fc.oneof(
      fc.record({ do: fc.constant("write" as const), name, text: fc.constantFrom("1", "2", "3", "long") }),
      fc.record({ do: fc.constant("touch" as const), name, time: fc.constantFrom(0, 1_000, 2_000_000_000) }),
      fc.record({ do: fc.constant("rename" as const), name, to: name }),
      fc.record({ do: fc.constant("remove" as const), name }),
      fc.record({ do: fc.constant("look" as const), fresh: fc.boolean() }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), async (actions) => {
        using folder = temporary();
        write(folder.path, { "data/d/keep": "k", "data/d/sub/keep": "k" });
        const files = new Map([
          ["keep", "k"],
          ["sub/keep", "k"],
        ]);
        const at = (file: string): string => join(folder.path, "data/d", file);
        let context = contextIn(folder.path);
        for (const step of [...actions, { do: "look" as const, fresh: true }]) {
          if (step.do === "look") {
            if (step.fresh) context = contextIn(folder.path);
            const entries = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
            const spelled = entries.map(
              ([file, text]) =>
                `{"digest":"${name256(Buffer.from(text))}","mode":"644","path":"${file}","size":${text.length}}`,
            );
            const wanted = name256(Buffer.from(`{"entries":[${spelled.join(",")}],"treeVersion":1}`));
            expect(must(await snapshot(context, "data/d" as never)).digest).toBe(wanted);
            for (const [file, text] of entries) {
              const lone = must(await snapshot(context, `data/d/${file}` as never));
              expect(lone.digest).toBe(name256(Buffer.from(text)));
            }
          } else if (step.do === "write") {
            writeFileSync(at(step.name), step.text);
            files.set(step.name, step.text);
          } else if (files.has(step.name)) {
            if (step.do === "touch") utimesSync(at(step.name), step.time, step.time);
            if (step.do === "remove") rmSync(at(step.name));
            if (step.do === "rename" && step.name !== step.to) {
              renameSync(at(step.name), at(step.to));
              files.set(step.to, files.get(step.name)!);
            }
            if (step.do === "remove" || (step.do === "rename" && step.name !== step.to)) files.delete(step.name);
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});
