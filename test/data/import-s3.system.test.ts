import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkSources, importData, updateImport } from "../../src/data/index.ts";
import { localCache } from "../../src/store/index.ts";
import { contextIn, repository, temporary } from "../git/repository.ts";
import { must } from "../store/contract.ts";
import { S3_PROGRAM, startS3 } from "../store/drivers/s3-server.ts";
import type { S3Server } from "../store/drivers/s3-server.ts";

const there = spawnSync(S3_PROGRAM, ["--version"]).error === undefined;
const why = there ? "" : ` (needs ${S3_PROGRAM} on PATH)`;

describe.skipIf(!there)(`import from S3${why}`, () => {
  let s3: S3Server;
  beforeAll(async () => void (s3 = await startS3()));
  afterAll(async () => s3[Symbol.asyncDispose]());

  interface Rig extends Disposable {
    readonly path: string;
    readonly context: ReturnType<typeof contextIn>;
    readonly url: (key: string) => string;
    readonly put: (key: string, body: string | Buffer) => Promise<void>;
    readonly delete: (key: string) => Promise<void>;
  }

  async function rig(): Promise<Rig> {
    const folder = temporary();
    const path = repository(join(folder.path, "r"));
    const bucket = await s3.bucket();
    return {
      path,
      context: contextIn(path, { AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey }),
      url: (key) => `s3://${bucket}/${key}?endpoint=${s3.endpoint}&region=${s3.region}`,
      put: async (key, body) =>
        void (await s3.client.send(
          new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentLength: Buffer.byteLength(body) }),
        )),
      delete: async (key) => void (await s3.client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))),
      [Symbol.dispose]: () => folder[Symbol.dispose](),
    };
  }
  const options = ({ context }: Rig) => ({ stores: [localCache(context)], transfer: { attempts: 2, baseMs: 1 } });

  test("an object is a file, pinned by its ETag, which says when it changed and that it is gone", async () => {
    using at = await rig();
    const bytes = randomBytes(3_000_000);
    await at.put("folder/model.bin", bytes);
    const url = at.url("folder/model.bin");
    const imported = must(await importData(at.context, { url, ...options(at) }));
    expect(imported).toMatchObject({ name: "model", dataset: { path: "model.bin", kind: "file", size: 3_000_000 } });
    expect(imported.dataset.source).toMatchObject({ url, etag: expect.any(String), size: 3_000_000 });
    expect(readFileSync(join(at.path, "model.bin")).equals(bytes)).toBe(true);
    expect(readFileSync(join(at.path, "data.lock.json"), "utf8")).not.toContain(s3.secretKey);
    expect(must(await checkSources(at.context))).toMatchObject([{ state: "same" }]);
    await at.put("folder/model.bin", "new");
    expect(must(await checkSources(at.context))).toMatchObject([{ state: "changed" }]);
    expect(must(await updateImport(at.context, { name: "model", ...options(at) })).dataset.size).toBe(3);
    await at.delete("folder/model.bin");
    expect(must(await checkSources(at.context))).toMatchObject([{ state: "gone" }]);
    expect(await updateImport(at.context, { name: "model", ...options(at) })).toMatchObject({
      failures: [{ code: "external", what: url }],
    });
  });

  test("a prefix is a folder: objects are files, and one more or less is a change", async () => {
    using at = await rig();
    for (let index = 0; index < 30; index++) await at.put(`set/${index % 3}/${index}.txt`, `text ${index}`);
    await at.put("set/empty", "");
    await at.put("settled", "of another prefix");
    const imported = must(await importData(at.context, { url: at.url("set/"), path: "data/", ...options(at) }));
    expect(imported).toMatchObject({ name: "set", dataset: { path: "data/set", kind: "tree", files: 31 } });
    expect(readFileSync(join(at.path, "data/set/2/29.txt"), "utf8")).toBe("text 29");
    expect(readdirSync(join(at.path, ".lockstep/tmp"))).toEqual([]);
    expect(must(await updateImport(at.context, { name: "set", ...options(at) })).changed).toBe(false);
    await at.delete("set/0/0.txt");
    expect(must(await checkSources(at.context))).toMatchObject([{ state: "changed" }]);
    expect(must(await updateImport(at.context, { name: "set", ...options(at) })).dataset.files).toBe(30);
    expect(existsSync(join(at.path, "data/set/0/0.txt"))).toBe(false);
  });

  test("keys that cannot be files side by side, and prefixes without objects, are refused", async () => {
    using at = await rig();
    await at.put("odd/Read.me", "1");
    await at.put("odd/read.ME", "2");
    expect(await importData(at.context, { url: at.url("odd/"), ...options(at) })).toMatchObject({
      failures: [{ code: "tree-invalid" }],
    });
    expect(await importData(at.context, { url: at.url("none/"), ...options(at) })).toMatchObject({
      failures: [{ code: "external", problem: expect.stringContaining("no object below") }],
    });
    expect(await importData(at.context, { url: at.url("none"), ...options(at) })).toMatchObject({
      failures: [{ code: "external", problem: expect.stringContaining("there is no such object") }],
    });
    expect(existsSync(join(at.path, "data.lock.json"))).toBe(false);
  });

  test("wrong keys are told with a hint, and never repeated", async () => {
    using at = await rig();
    await at.put("x", "1");
    const context = contextIn(at.path, { AWS_ACCESS_KEY_ID: "nobody", AWS_SECRET_ACCESS_KEY: "secret-of-nobody" });
    const refused = await importData(context, { url: at.url("x"), ...options(at) });
    expect(refused).toMatchObject({ failures: [{ code: "external", hint: expect.any(String) }] });
    expect(JSON.stringify(refused)).not.toContain("secret-of-nobody");
  });
});
