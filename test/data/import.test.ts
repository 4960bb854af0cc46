import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Digest, Result } from "../../src/core/index.ts";
import { addData, checkSources, importData, loadDataLock, pullData, updateImport } from "../../src/data/index.ts";
import type { ImportedData } from "../../src/data/index.ts";
import { takePlace } from "../../src/data/import-place.ts";
import { workingTree } from "../../src/git/index.ts";
import { digestOf, localCache } from "../../src/store/index.ts";
import { contextIn, repository, temporary, write } from "../git/repository.ts";
import { must } from "../store/contract.ts";
import { headersOf, startWeb } from "./import-server.ts";
import type { Web } from "./import-server.ts";

interface Rig extends AsyncDisposable {
  readonly path: string;
  readonly web: Web;
  readonly context: ReturnType<typeof contextIn>;
  /** Called as soon as this many bytes have arrived here. */
  readonly arrived: (bytes: number, call: () => void) => void;
  readonly import: (page: string, path?: string, more?: object) => Promise<Result<ImportedData>>;
  readonly update: (name: string) => Promise<Result<ImportedData>>;
  readonly check: () => Promise<unknown>;
  readonly read: (path: string) => Buffer;
}

const QUICK = { attempts: 3, baseMs: 1, stallMs: 300 };

async function rig(): Promise<Rig> {
  const folder = temporary();
  const path = repository(join(folder.path, "r"));
  const web = await startWeb();
  let waiting: { bytes: number; call: () => void } | undefined;
  const base = contextIn(path);
  const emit: typeof base.emit = (event) => {
    base.emit(event);
    if (event.type !== "progress" || waiting === undefined || event.done < waiting.bytes) return;
    const { call } = waiting;
    waiting = undefined;
    call();
  };
  const context = { ...base, emit, fetch: globalThis.fetch };
  const options = { stores: [localCache(context)], transfer: QUICK };
  return {
    path,
    web,
    context,
    arrived: (bytes, call) => void (waiting = { bytes, call }),
    import: async (page, to, more = {}) =>
      importData(context, { url: `${web.url}${page}`, ...options, ...(to === undefined ? {} : { path: to }), ...more }),
    update: async (name) => updateImport(context, { name, ...options }),
    check: async () => must(await checkSources(context)),
    read: (file) => readFileSync(join(path, file)),
    [Symbol.asyncDispose]: async () => {
      await web[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

const MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT";
const page = (text: string, etag = `"${text.length}"`) => ({ body: Buffer.from(text), etag, lastModified: MODIFIED });

describe("a file from the web", () => {
  test("is fetched, tracked, ignored by git, and pinned in the lockfile", async () => {
    await using at = await rig();
    at.web.pages.set("/data/table.csv?v=1", page("a,b\n"));
    const imported = must(await at.import("/data/table.csv?v=1", "data/"));
    expect(imported).toMatchObject({ name: "table", changed: true, dataset: { path: "data/table.csv", kind: "file" } });
    expect(at.read("data/table.csv").toString()).toBe("a,b\n");
    const lock = must(await loadDataLock(workingTree(at.context)));
    expect(lock.datasets["table"]?.source).toEqual({
      url: `${at.web.url}/data/table.csv?v=1`,
      etag: '"4"',
      lastModified: MODIFIED,
      size: 4,
      digest: digestOf(Buffer.from("a,b\n")),
    });
    expect(readFileSync(join(at.path, ".gitignore"), "utf8")).toContain("/data/table.csv");
    expect(readdirSync(join(at.path, ".lockstep/tmp"))).toEqual([]);
    const progress = at.context.events.filter(
      (event) => event.type === "progress" && event.task === "import table.csv",
    );
    expect(progress.at(-1)).toMatchObject({ unit: "bytes", done: 4, total: 4 });
    rmSync(join(at.path, "data"), { recursive: true });
    must(await pullData(at.context, { stores: [localCache(at.context)] }));
    expect(at.read("data/table.csv").toString()).toBe("a,b\n");
  });

  test("of another digest than the expected one leaves nothing", async () => {
    await using at = await rig();
    at.web.pages.set("/x", page("bytes"));
    const digest = digestOf(Buffer.from("bytes"));
    const other = digestOf(Buffer.from("other"));
    expect(await at.import("/x", "x", { digest: other })).toMatchObject({
      failures: [{ code: "blob-corrupt", digest: other, actual: digest }],
    });
    expect(existsSync(join(at.path, "x"))).toBe(false);
    expect(existsSync(join(at.path, "data.lock.json"))).toBe(false);
    expect(must(await at.import("/x", "x", { digest })).dataset.digest).toBe(digest);
  });

  test("may be empty, and may come without a length", async () => {
    await using at = await rig();
    at.web.pages.set("/empty", page(""));
    expect(must(await at.import("/empty")).dataset).toMatchObject({ size: 0 });
    at.web.fault = (_, response) => {
      response.writeHead(200);
      response.write("some ");
      response.end("bytes");
      return true;
    };
    expect(must(await at.import("/endless", "chunked")).dataset).toMatchObject({ size: 10, source: { size: 10 } });
    expect(at.read("chunked").toString()).toBe("some bytes");
  });

  test("comes by way of redirects", async () => {
    await using at = await rig();
    at.web.pages.set("/real", page("real"));
    at.web.fault = (request, response) => {
      if (request.url !== "/old") return false;
      response.writeHead(302, { location: "/real?X-Amz-Signature=secret" }).end();
      return true;
    };
    at.web.pages.set("/real?X-Amz-Signature=secret", page("real"));
    must(await at.import("/old"));
    expect(at.read("old").toString()).toBe("real");
    expect(readFileSync(join(at.path, "data.lock.json"), "utf8")).not.toContain("secret");
    expect(await at.check()).toEqual([{ name: "old", url: `${at.web.url}/old`, state: "same", detail: "" }]);
  });

  test.each([
    ["/elsewhere", "ftp://example.org/x", "another kind"],
    ["/elsewhere", "http://user:word@127.0.0.1/", "credentials"],
    ["/elsewhere", "/elsewhere", "more than 10 times"],
  ])("a redirect from %s to %s is refused", async (from, to, problem) => {
    await using at = await rig();
    at.web.fault = (_, response) => {
      response.writeHead(301, { location: to }).end();
      return true;
    };
    const refused = await at.import(from);
    expect(refused).toMatchObject({ failures: [{ code: "external", problem: expect.stringContaining(problem) }] });
    expect(JSON.stringify(refused)).not.toContain("word");
  });
});

describe("a bad network", () => {
  const big = { body: randomBytes(400_000), etag: '"big"' };

  test("a cut transfer goes on where it was", async () => {
    await using at = await rig();
    at.web.pages.set("/big", big);
    let cuts = 2;
    at.web.fault = (request, response, there) => {
      if (cuts-- <= 0) return false;
      const from = Number(/\d+/.exec(request.headers.range ?? "0")![0]);
      const status = from === 0 ? 200 : 206;
      const range = { "content-range": `bytes ${from}-399999/400000` };
      response.writeHead(status, { ...headersOf(there!), "content-length": 400_000 - from, ...range });
      at.arrived(from + 100_000, () => response.destroy());
      response.write(big.body.subarray(from, from + 100_000));
      return true;
    };
    must(await at.import("/big"));
    expect(at.read("big").equals(big.body)).toBe(true);
    expect(at.web.requests.map(({ range }) => range)).toEqual([undefined, "bytes=100000-", "bytes=200000-"]);
  });

  test("a file that changed meanwhile comes from the start", async () => {
    await using at = await rig();
    at.web.pages.set("/big", big);
    at.web.fault = (_, response, there) => {
      at.web.fault = () => false;
      at.web.pages.set("/big", page("now another", '"new"'));
      response.writeHead(200, { ...headersOf(there!), "content-length": 400_000 });
      at.arrived(100_000, () => response.destroy());
      response.write(big.body.subarray(0, 100_000));
      return true;
    };
    expect(must(await at.import("/big")).dataset.source).toMatchObject({ etag: '"new"', size: 11 });
    expect(at.read("big").toString()).toBe("now another");
  });

  test("what was transferred is kept for the next try, even of a process that was killed", async () => {
    await using at = await rig();
    at.web.pages.set("/big", big);
    let given = 0;
    at.web.fault = (_, response, there) => {
      if (given++ > 0) return (void response.writeHead(503).end(), true);
      response.writeHead(200, { ...headersOf(there!), "content-length": 400_000 });
      at.arrived(300_000, () => response.destroy());
      response.write(big.body.subarray(0, 300_000));
      return true;
    };
    expect(await at.import("/big")).toMatchObject({ failures: [{ code: "external", what: `${at.web.url}/big` }] });
    const tmp = join(at.path, ".lockstep/tmp");
    const [shelf = ""] = readdirSync(tmp);
    // As a killed process leaves it: still taken, and nobody at work.
    renameSync(join(tmp, shelf), join(tmp, `${shelf}.0`));
    for (const file of [...readdirSync(join(tmp, `${shelf}.0`)), "."]) utimesSync(join(tmp, `${shelf}.0`, file), 0, 0);
    at.web.requests.length = 0;
    at.web.fault = () => false;
    must(await at.import("/big"));
    expect(at.web.requests).toEqual([{ method: "GET", path: "/big", range: "bytes=300000-" }]);
    expect(at.read("big").equals(big.body)).toBe(true);
    expect(readdirSync(tmp)).toEqual([]);
  });

  test.each<[string, Web["fault"]]>([
    [
      "too few bytes",
      (_, response) => (
        response.writeHead(200, { "content-length": 100 }),
        response.write("few", () => response.destroy())
      ),
    ],
    [
      "nothing for too long",
      (_, response) => (response.writeHead(200, { "content-length": 100 }), response.write("few")),
    ],
    ["429 again and again", (_, response) => !!response.writeHead(429).end()],
    ["500 again and again", (_, response) => !!response.writeHead(500).end()],
    [
      "another range",
      (request, response) => !!response.writeHead(206, { "content-range": "bytes 5-9/10" }).end("12345"),
    ],
  ])("%s ends as a failure that names the URL, in bounded time", async (_, fault) => {
    await using at = await rig();
    at.web.fault = fault;
    const failed = await at.import("/x");
    expect(failed).toMatchObject({ failures: [{ code: "external", what: `${at.web.url}/x` }] });
    expect(at.web.requests).toHaveLength(QUICK.attempts);
    expect(existsSync(join(at.path, "x"))).toBe(false);
    expect(existsSync(join(at.path, "data.lock.json"))).toBe(false);
  });

  test.each([
    [404, "gone"],
    [403, "no credentials are sent"],
  ])("%i is told at once: %s", async (status, hint) => {
    await using at = await rig();
    at.web.fault = (_, response) => !!response.writeHead(status).end();
    expect(await at.import("/x")).toMatchObject({ failures: [{ hint: expect.stringContaining(hint) }] });
    expect(at.web.requests).toHaveLength(1);
  });

  test("an interruption ends it, and keeps what came", async () => {
    await using at = await rig();
    const stop = new AbortController();
    at.web.fault = (_, response) => {
      response.writeHead(200, { "content-length": 100, etag: '"1"' });
      response.write("few");
      return true;
    };
    const emit: typeof at.context.emit = (event) => {
      if (event.type === "progress" && event.done > 0) stop.abort();
    };
    const context = { ...at.context, emit, signal: stop.signal };
    const options = { url: `${at.web.url}/x`, stores: [], transfer: QUICK };
    expect(await importData(context, options)).toMatchObject({ failures: [{ code: "interrupted" }] });
    expect(readdirSync(join(at.path, ".lockstep/tmp"))).toHaveLength(1);
  });
});

describe("what stands in the working tree", () => {
  test("is not replaced if no store has it", async () => {
    await using at = await rig();
    at.web.pages.set("/x", page("1"));
    write(at.path, { x: "mine" });
    expect(await at.import("/x")).toMatchObject({ failures: [{ code: "data-changed", path: "x" }] });
    expect(at.web.requests).toEqual([]);
    rmSync(join(at.path, "x"));
    must(await at.import("/x"));
    appendFileSync(join(at.path, "x"), "edit");
    at.web.pages.set("/x", page("22"));
    expect(await at.update("x")).toMatchObject({ failures: [{ code: "data-changed", dataset: "x" }] });
    expect(at.read("x").toString()).toBe("1edit");
  });

  test("an update fetches what changed, and asks only when nothing did", async () => {
    await using at = await rig();
    at.web.pages.set("/x", page("1"));
    must(await at.import("/x"));
    at.web.requests.length = 0;
    expect(must(await at.update("x")).changed).toBe(false);
    expect(at.web.requests.map(({ method }) => method)).toEqual(["HEAD"]);
    at.web.pages.set("/x", page("22"));
    expect(must(await at.update("x"))).toMatchObject({ changed: true, dataset: { source: { etag: '"2"' } } });
    expect(at.read("x").toString()).toBe("22");
    rmSync(join(at.path, "x"));
    rmSync(join(at.path, ".lockstep"), { recursive: true });
    expect(must(await at.update("x")).changed).toBe(false); // in no store, so it is fetched again
    expect(at.read("x").toString()).toBe("22");
  });

  test("content that is changed here is no longer a copy of its source", async () => {
    await using at = await rig();
    at.web.pages.set("/x", page("1"));
    must(await at.import("/x"));
    appendFileSync(join(at.path, "x"), "2");
    must(await addData(at.context, { path: "x" }));
    expect(await at.update("x")).toMatchObject({ failures: [{ code: "unknown-name", known: [] }] });
    expect(await checkSources(at.context, { names: ["x"] })).toMatchObject({ failures: [{ code: "unknown-name" }] });
  });

  test.each<[string, string | undefined, object, string]>([
    ["/x", "known", {}, "already, from elsewhere"],
    ["/x", "y", { name: "known" }, "already"],
    ["/x", "../y", {}, "not a path"],
    ["/x", "known/inside", {}, "lie in one another"],
    ["/", "folder/", {}, "what the file is called"],
    ["/%2e%2e%2fx", undefined, {}, "what the file is called"],
  ])("%s to %s with %o is refused before anything is sent", async (from, to, more, message) => {
    await using at = await rig();
    write(at.path, { known: "1" });
    must(await addData(at.context, { path: "known" }));
    expect(await at.import(from, to, more)).toMatchObject({
      failures: [{ code: "usage", message: expect.stringContaining(message) }],
    });
    expect(at.web.requests).toEqual([]);
  });
});

test.each([
  ["https://user:word@example.org/x"],
  ["https://word@example.org/x"],
  ["https://example.org/x?X-Amz-Signature=word"],
  ["https://example.org/x?sig=word&sv=1"],
  ["s3://key:word@bucket/x"],
  ["ftp://example.org/word"],
  ["file:///etc/word"],
  ["word"],
])("%s is no URL to import from, and is not repeated", async (url) => {
  await using at = await rig();
  const refused = await importData(at.context, { url, stores: [] });
  expect(refused).toMatchObject({ failures: [{ code: "usage" }] });
  expect(JSON.stringify(refused).replace("password", "")).not.toContain("word");
});

describe("a source is asked whether it", () => {
  test.each<[string, (web: Web) => void, object]>([
    ["is the same", () => {}, { state: "same", detail: "" }],
    [
      "changed its tag",
      (web) => web.pages.set("/x", page("1", '"9"')),
      { state: "changed", detail: 'ETag "1" -> "9"' },
    ],
    ["changed its size", (web) => web.pages.set("/x", page("22", '"1"')), { state: "changed", detail: "size 1 -> 2" }],
    [
      "has only a time, and another one",
      (web) => web.pages.set("/x", { body: Buffer.from("1"), lastModified: "later" }),
      { state: "changed", detail: `Last-Modified ${MODIFIED} -> later` },
    ],
    ["is gone", (web) => web.pages.delete("/x"), { state: "gone", detail: "it answers 404" }],
    [
      "was removed for good",
      (web) => (web.fault = (_, response) => !!response.writeHead(410).end()),
      { state: "gone", detail: "it answers 410" },
    ],
    [
      "knows no HEAD",
      (web) => (web.fault = (request, response) => request.method === "HEAD" && !!response.writeHead(405).end()),
      { state: "same" },
    ],
    [
      "moved",
      (web) => {
        web.pages.set("/y", page("1"));
        web.fault = (request, response) => request.url === "/x" && !!response.writeHead(301, { location: "/y" }).end();
      },
      { state: "same", movedTo: expect.stringMatching(/\/y$/) },
    ],
    [
      "says nothing of itself",
      (web) => (web.fault = (_, response) => !!response.writeHead(200).end()),
      { state: "unknown" },
    ],
  ])("%s", async (_, change, state) => {
    await using at = await rig();
    at.web.pages.set("/x", page("1"));
    must(await at.import("/x"));
    change(at.web);
    expect(await at.check()).toMatchObject([{ name: "x", url: `${at.web.url}/x`, ...state }]);
  });
});

test("a digest is never taken on trust", async () => {
  await using at = await rig();
  at.web.pages.set("/x", page("1"));
  const { digest } = must(await at.import("/x")).dataset;
  expect(digest).toBe(digestOf(Buffer.from("1")) satisfies Digest);
});

test("of two imports of one URL each has its own folder, and one has what was left", async () => {
  await using at = await rig();
  const left = must(await takePlace(at.context, "https://example.org/x"));
  write(left.folder, { content: "half" });
  await left.release(true);
  const [one, two] = await Promise.all(
    [0, 1].map(async () => must(await takePlace(at.context, "https://example.org/x"))),
  );
  expect([one, two].filter((place) => existsSync(join(place!.folder, "content")))).toHaveLength(1);
  expect(one!.folder).not.toBe(two!.folder);
  await Promise.all([one!.release(true), two!.release(true)]);
  expect(readdirSync(join(at.path, ".lockstep/tmp"))).toHaveLength(1);
});
