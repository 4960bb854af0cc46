import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ensureRelease, fit, fitLine } from "../../src/github/index.ts";
import { value } from "../helpers/value.ts";
import { FakeGitHub } from "./fake.ts";
import type { Thing } from "./fake.ts";

const bytes = (text: string): Buffer => Buffer.from(text);
const wanted = {
  tag: "digits/v1",
  commit: "a".repeat(40),
  name: "digits v1",
  body: "card",
  assets: [
    { name: "model.onnx", bytes: bytes("weights") },
    { name: "CARD.md", bytes: bytes("card"), descriptive: true },
  ],
};
const assetsOf = (fake: FakeGitHub): Thing[] => (fake.releases[0]?.["assets"] ?? []) as Thing[];

describe("a release", () => {
  it("is filled as a draft, verified, then published; a second time changes nothing", async () => {
    await using fake = await FakeGitHub.start();
    const gh = fake.connect();
    const effects: string[] = [];
    const first = value(
      await ensureRelease({ ...gh, emit: (event) => event.type === "effect" && effects.push(event.name) }, wanted),
    );
    expect(first.created).toBe(true);
    expect(first.assets.get("model.onnx")?.digest).toBe(
      `sha256:${createHash("sha256").update("weights").digest("hex")}`,
    );
    expect(fake.releases[0]).toMatchObject({ draft: false, tag_name: "digits/v1", target_commitish: wanted.commit });
    expect(effects).toEqual([
      "release-drafted",
      "release-asset model.onnx",
      "release-asset CARD.md",
      "release-published",
    ]);
    const before = JSON.stringify(fake.releases);
    const requests = fake.log.length;
    expect(value(await ensureRelease(gh, wanted))).toMatchObject({ id: first.id, created: false });
    expect(JSON.stringify(fake.releases)).toBe(before);
    expect(fake.log.length - requests).toBe(1);
  });

  it.each([1, 2, 3])("goes on after a stop behind write %i", async (stop) => {
    await using fake = await FakeGitHub.start();
    let writes = 0;
    fake.interfere = (line, after) => {
      if (line.startsWith("GET")) return undefined;
      if (after) writes += 1;
      return !after && writes >= stop ? 403 : undefined;
    };
    expect((await ensureRelease(fake.connect(), wanted)).ok).toBe(false);
    expect(fake.releases[0]?.["draft"]).toBe(true);
    fake.interfere = () => undefined;
    value(await ensureRelease(fake.connect(), wanted));
    expect(fake.releases).toHaveLength(1);
    expect(fake.releases[0]?.["draft"]).toBe(false);
    expect(assetsOf(fake).map((asset) => asset["name"])).toEqual(["model.onnx", "CARD.md"]);
  });

  it("survives lost answers to each of its writes without a second draft or asset", async () => {
    await using fake = await FakeGitHub.start();
    const lost = new Set<string>();
    fake.interfere = (line, after) => {
      if (!after || !line.startsWith("POST") || lost.has(line)) return undefined;
      lost.add(line);
      return 502;
    };
    value(await ensureRelease(fake.connect(), wanted));
    expect(lost.size).toBe(2);
    expect(fake.releases).toHaveLength(1);
    expect(assetsOf(fake)).toHaveLength(2);
  });

  it("mends an asset that an upload left half done, and one with other bytes, in a draft", async () => {
    await using fake = await FakeGitHub.start();
    const gh = fake.connect();
    fake.interfere = (line) => (line.startsWith("PATCH") ? 403 : undefined);
    await ensureRelease(gh, wanted);
    fake.interfere = () => undefined;
    Object.assign(assetsOf(fake)[0] ?? {}, { state: "starter", size: 0, digest: null });
    Object.assign(assetsOf(fake)[1] ?? {}, { digest: `sha256:${"0".repeat(64)}` });
    const release = value(await ensureRelease(gh, wanted));
    expect(assetsOf(fake).every((asset) => asset["state"] === "uploaded")).toBe(true);
    expect(release.assets.get("CARD.md")?.digest).toBe(`sha256:${createHash("sha256").update("card").digest("hex")}`);
  });

  it("that is published is adopted with another card, and refused with another model", async () => {
    await using fake = await FakeGitHub.start();
    const gh = fake.connect();
    value(await ensureRelease(gh, wanted));
    const [model, card] = wanted.assets as [(typeof wanted.assets)[0], (typeof wanted.assets)[1]];
    const other = { ...wanted, assets: [model, { ...card, bytes: bytes("another") }] };
    expect(value(await ensureRelease(gh, other)).created).toBe(false);
    const wrong = { ...wanted, assets: [{ ...model, bytes: bytes("other weights") }] };
    expect(await ensureRelease(gh, wrong)).toMatchObject({ ok: false, failures: [{ code: "external" }] });
    expect(assetsOf(fake)).toHaveLength(2);
  });

  it("does not believe an upload whose digest comes back different", async () => {
    await using fake = await FakeGitHub.start();
    fake.interfere = (line, after) => {
      if (after && /POST .*assets/.test(line))
        Object.assign(assetsOf(fake).at(-1) ?? {}, { digest: `sha256:${"1".repeat(64)}` });
      return undefined;
    };
    expect(await ensureRelease(fake.connect(), wanted)).toMatchObject({
      ok: false,
      failures: [{ code: "blob-corrupt" }],
    });
    expect(fake.releases[0]?.["draft"]).toBe(true);
  });

  it("refuses names that GitHub would change", async () => {
    await using fake = await FakeGitHub.start();
    const odd = { ...wanted, assets: [{ name: "my model.onnx", bytes: bytes("") }] };
    expect(await ensureRelease(fake.connect(), odd)).toMatchObject({ ok: false, failures: [{ code: "unsupported" }] });
    expect(fake.log).toEqual([]);
  });
});

describe("shortening", () => {
  it("cuts at a line and never within a character", () => {
    expect(fit("abc", 3)).toBe("abc");
    expect(fit(`${"x".repeat(50)}\n${"y".repeat(50)}`, 80, "!")).toBe(`${"x".repeat(50)}!`);
    expect(fit("😀".repeat(40), 20, "!")).toBe(`${"😀".repeat(9)}!`);
    expect(fitLine(" a\n\tb ", 10)).toBe("a b");
    expect(fitLine("😀😀😀", 4)).toBe("😀…");
  });
});
