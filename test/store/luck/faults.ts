import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fail, ok } from "../../../src/core/index.ts";
import type { Context, Failure, Result } from "../../../src/core/index.ts";
import { pullData, pushData, addData } from "../../../src/data/index.ts";
import { blobStore } from "../../../src/store/blob-store.ts";
import type { Driver } from "../../../src/store/driver.ts";
import { fileDriver } from "../../../src/store/drivers/file.ts";
import { localCache } from "../../../src/store/index.ts";
import { contextIn, repository, temporary, write } from "../../git/repository.ts";
import { must } from "../contract.ts";
import { contentOf, copyStage, keysOf, Stage, wrongIn } from "./scenes.ts";

/** What a remote does to the n-th request, in place of what it should. */
type Fault = "refuses" | "breaks off" | "other bytes" | "does it and says it did not";

/** A remote that misbehaves once, at the request of this number, and counts the requests. */
class Faulty {
  requests = 0;
  readonly driver: Driver;

  constructor(inner: Driver, at: number, fault: Fault) {
    const down = (): Result<never> =>
      fail({ code: "external", what: inner.url, problem: "it answered 500 five times in a row" });
    const next = (): boolean => ++this.requests === at;
    const ask = async <T>(work: () => Promise<Result<T>>): Promise<Result<T>> => {
      if (!next()) return work();
      if (fault === "does it and says it did not") await work();
      return down();
    };
    this.driver = {
      ...inner,
      stat: async (key) => ask(async () => inner.stat(key)),
      delete: async (key) => ask(async () => inner.delete(key)),
      get: async (key, sink, range) => {
        if (!next()) return inner.get(key, sink, range);
        if (fault === "refuses") return down();
        const chunks: Buffer[] = [];
        const got = await inner.get(key, (chunk) => void chunks.push(Buffer.from(chunk)), range);
        if (!got.ok || !got.value) return got;
        const bytes = Buffer.concat(chunks);
        if (fault === "other bytes") {
          await sink(Buffer.from(bytes.map((byte) => byte ^ 1)));
          return ok(true);
        }
        await sink(bytes.subarray(0, bytes.length >> 1));
        return down();
      },
      put: async (key, body, options) => {
        if (!next()) return inner.put(key, body, options);
        if (fault === "does it and says it did not") await inner.put(key, body, options);
        else if (fault === "breaks off") for await (const _ of body.read(0, body.size >> 1));
        return down();
      },
    };
  }
}

/** Every request of a push and of a pull goes wrong once; the data may have a large file, which takes longer. */
export function faultTests({ large }: { readonly large: boolean }): void {
  let folder: ReturnType<typeof temporary>;
  let added: Stage;
  let clone: Stage;
  let content: string | undefined;

  /** The team's store through a remote that misbehaves. */
  function teamOf(context: Context, at = 0, fault: Fault = "refuses"): Faulty {
    const inner = fileDriver(context, { url: "file:../team", folder: join(context.cwd, "../team"), durable: false });
    return new Faulty(inner, at, fault);
  }

  beforeAll(async () => {
    folder = temporary();
    added = new Stage(join(folder.path, "added"));
    repository(added.work);
    const small = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [`data/tree/${at % 3}/${at}`, randomBytes(1000)]),
    );
    write(added.work, {
      ...small,
      "data/tree/middle": randomBytes(1_200_000),
      ...(large ? { "data/tree/large": randomBytes(9_000_000) } : {}),
    });
    write(added.work, { "data/lone": randomBytes(1000) });
    const context = contextIn(added.work);
    must(await addData(context, { path: "data/tree" }));
    must(await addData(context, { path: "data/lone" }));
    content = contentOf(join(added.work, "data"));
    const pushed = copyStage(added, join(folder.path, "pushed"));
    const pushing = contextIn(pushed.work);
    must(await pushData(pushing, { to: blobStore(pushing, teamOf(pushing).driver) }));
    clone = copyStage(pushed, join(folder.path, "clone"));
    rmSync(join(clone.work, ".lockstep"), { recursive: true });
    rmSync(join(clone.work, "data"), { recursive: true });
  });
  afterAll(() => folder[Symbol.dispose]());

  /** Every request of a command in turn, until none is left to go wrong. */
  async function atEachRequest(
    from: () => Stage,
    fault: Fault,
    command: (context: Context, remote: Faulty) => Promise<Result<unknown>>,
    check: (stage: Stage, failed: readonly Failure[] | undefined, label: string) => Promise<void>,
  ): Promise<number> {
    for (let at = 1; ; at++) {
      const stage = copyStage(from(), join(folder.path, "now"));
      const context = contextIn(stage.work);
      const remote = teamOf(context, at, fault);
      const result = await command(context, remote);
      await check(stage, result.ok ? undefined : result.failures, `request ${at}, which it ${fault}`);
      const again = contextIn(stage.work);
      must(await command(again, teamOf(again)));
      expect(await wrongIn(stage.team, Object.values(stage.locked))).toEqual([]);
      expect(contentOf(join(stage.work, "data"))).toBe(content);
      rmSync(stage.folder, { recursive: true });
      if (remote.requests < at) return at - 1;
    }
  }

  describe.each<Fault>(["refuses", "breaks off", "does it and says it did not"])(
    "a remote that %s at one request",
    (fault) => {
      test("of a push: it fails clearly or succeeds, and a root that is there is whole", async () => {
        const failures: Failure[] = [];
        const requests = await atEachRequest(
          () => added,
          fault,
          async (context, remote) => pushData(context, { to: blobStore(context, remote.driver) }),
          async (stage, failed, label) => {
            failures.push(...(failed ?? []));
            expect(await wrongIn(stage.team, Object.values(stage.locked)), label).toEqual([]);
          },
        );
        expect(requests).toBeGreaterThan(6);
        expect(failures.length).toBeGreaterThan(4);
        for (const failure of failures)
          expect(failure).toMatchObject({ code: "external", problem: expect.stringContaining("500") });
      });
    },
  );

  describe.each<Fault>(["refuses", "breaks off", "other bytes"])("a remote that %s at one request", (fault) => {
    test("of a pull: it fails clearly or succeeds, and the path holds all or nothing", async () => {
      const failures: Failure[] = [];
      const whole = contentOf(join(added.work, "data/tree"));
      const requests = await atEachRequest(
        () => clone,
        fault,
        async (context, remote) =>
          pullData(context, { stores: [localCache(context), blobStore(context, remote.driver)] }),
        async (stage, failed, label) => {
          failures.push(...(failed ?? []));
          expect([undefined, whole], label).toContain(contentOf(join(stage.work, "data/tree")));
          expect(await wrongIn(stage.cache, Object.values(stage.locked)), label).toEqual([]);
          for (const place of [".lockstep/tmp", ".lockstep/cache/v1/tmp"]) {
            if (existsSync(join(stage.work, place))) expect(readdirSync(join(stage.work, place)), label).toEqual([]);
          }
        },
      );
      expect(requests).toBeGreaterThan(4);
      expect(failures.length).toBeGreaterThan(2);
      const codes = fault === "other bytes" ? ["blob-corrupt", "tree-invalid", "external"] : ["external"];
      for (const failure of failures) expect(codes, JSON.stringify(failure)).toContain(failure.code);
    });
  });

  test("keys are what a push leaves, whichever request failed before", async () => {
    const stage = copyStage(added, join(folder.path, "keys"));
    for (let at = 1; at < 12; at++) {
      const context = contextIn(stage.work);
      await pushData(context, { to: blobStore(context, teamOf(context, at).driver) });
    }
    const context = contextIn(stage.work);
    must(await pushData(context, { to: blobStore(context, teamOf(context).driver) }));
    expect(await keysOf(stage.team)).toEqual(await keysOf(new Stage(join(folder.path, "pushed")).team));
  });
}
