import { existsSync, readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ModelLock } from "../../src/config/index.ts";
import { promote } from "../../src/registry/index.ts";
import type { PromoteOptions, Promotion } from "../../src/registry/index.ts";
import { FakeGitHub } from "../github/fake.ts";
import type { Thing } from "../github/fake.ts";
import { value } from "../helpers/value.ts";
import { contextFor, FILES, modelYaml, optionsFor, Rig } from "./rig.ts";

const lockOf = (rig: Rig): ModelLock => JSON.parse(rig.file("models/toy/lock.json")) as ModelLock;
const runsOf = (clone: string): number => {
  const log = join(clone, "ran.log");
  return existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0;
};

async function promoteAt(
  fake: FakeGitHub,
  clone: string,
  commit: string,
  more: Partial<PromoteOptions> = {},
): Promise<Promotion> {
  const context = contextFor(clone);
  const [promotion] = value(await promote(context, fake.connect(), { ...optionsFor(context, commit), ...more }));
  if (promotion === undefined) throw new Error("no model was looked at");
  return promotion;
}

describe("promotion", () => {
  it("makes a version with lock, card, record and release; a second run changes nothing", async () => {
    await using rig = await Rig.create();
    await using fake = await FakeGitHub.start();
    const clone = await rig.clone();
    const commit = rig.git(clone, "rev-parse", "HEAD");
    fake.add(fake.pulls, {
      number: 12,
      state: "closed",
      merged_at: "2026-01-01T00:00:00Z",
      title: "t",
      head: { sha: "d".repeat(40), ref: "x", repo: { full_name: "acme/digits" } },
      base: { ref: "main", sha: "e".repeat(40) },
    });
    const first = await promoteAt(fake, clone, commit);
    expect(first).toMatchObject({ outcome: "promoted", version: 1, release: "toy/v1", cached: false, reasons: [] });
    const lock = lockOf(rig);
    expect(lock.aliases).toEqual({ production: 1 });
    expect(lock.versions[0]).toMatchObject({
      digest: first.digest,
      commit,
      pullRequest: 12,
      verdict: "first",
      metrics: { accuracy: 0.9, loss: 0.1 },
      params: { "params.yaml": { wrong: 20 } },
      files: { "model.bin": `sha256:${createHash("sha256").update("weights with 20 mistakes").digest("hex")}` },
    });
    expect(rig.file("models/toy/CARD.md")).toContain("toy, version 1");
    const assets = fake.releases[0]?.["assets"] as Thing[];
    expect(assets.map((asset) => asset["name"])).toEqual(["model.bin", "CARD.md", "record.json"]);
    expect(assets[0]?.["digest"]).toBe(lock.versions[0]?.files["model.bin"]);
    expect(fake.releases[0]).toMatchObject({ tag_name: "toy/v1", draft: false, target_commitish: commit });

    const state = (): unknown => [rig.git(rig.bare, "for-each-ref"), JSON.stringify(fake.releases)];
    const before = state();
    expect(await promoteAt(fake, await rig.clone(), rig.git(rig.bare, "rev-parse", "main"))).toMatchObject({
      outcome: "current",
      version: 1,
      cached: true,
    });
    // The lockfile's own commit is a run of its own; apart from its record nothing moves.
    const again = await rig.clone();
    const settled = state();
    expect((settled as string[])[1]).toBe((before as string[])[1]);
    await promoteAt(fake, again, rig.git(rig.bare, "rev-parse", "main"));
    expect(state()).toEqual(settled);
    expect(runsOf(again)).toBe(0);
  });

  it("promotes the bytes of a trusted record without training again", async () => {
    await using rig = await Rig.create();
    await using fake = await FakeGitHub.start();
    const first = await rig.clone();
    await promoteAt(fake, first, rig.git(first, "rev-parse", "HEAD"));
    expect(runsOf(first)).toBe(1);
    // A commit that leaves the pipeline's inputs alone, on another machine.
    const other = await rig.clone();
    const commit = await rig.commit(other, { "README.md": "hello\n" }, "readme");
    expect(await promoteAt(fake, other, commit)).toMatchObject({ outcome: "current", cached: true });
    expect(runsOf(other)).toBe(0);
  });

  it("judges by the gates that the branch had before the push", async () => {
    await using rig = await Rig.create();
    await using fake = await FakeGitHub.start();
    const clone = await rig.clone();
    const before = rig.git(clone, "rev-parse", "HEAD");
    await promoteAt(fake, clone, before);
    const worse = { "params.yaml": "wrong: 80\n", "models/toy/model.yaml": modelYaml(0.1) };
    const pushed = await rig.commit(clone, worse, "worse, and a gate that lets it");
    const refused = await promoteAt(fake, clone, pushed, { before });
    expect(refused).toMatchObject({ outcome: "refused", version: null });
    expect(refused.reasons).toEqual([expect.stringMatching(/^accuracy at least 0\.8: 0\.6/)]);
    expect(lockOf(rig).versions).toHaveLength(1);
    // By hand, without a push, the gates count as they now are.
    expect(await promoteAt(fake, clone, pushed)).toMatchObject({ outcome: "promoted", version: 2 });
    expect(lockOf(rig).versions[1]?.verdict).toBe("worse");
  });

  it("judges by the evaluation that the branch had before the push", async () => {
    await using rig = await Rig.create();
    await using fake = await FakeGitHub.start();
    const clone = await rig.clone();
    const before = rig.git(clone, "rev-parse", "HEAD");
    await promoteAt(fake, clone, before);
    // The label for a prediction: every answer is right.
    const flattering = modelYaml(0.8).replace("prediction: prediction", "prediction: label");
    const pushed = await rig.commit(
      clone,
      { "params.yaml": "wrong: 80\n", "models/toy/model.yaml": flattering },
      "flattered",
    );
    const refused = await promoteAt(fake, clone, pushed, { before });
    expect(refused.reasons).toEqual([expect.stringMatching(/^accuracy at least 0\.8: 0\.6/)]);
    expect(lockOf(rig).versions).toHaveLength(1);
    // An evaluation that no longer fits what is made refuses too, and says what to do.
    const renamed = {
      "params.yaml": "wrong: 10\n",
      "models/toy/model.yaml": modelYaml(0.8).replace("build/p", "build/other-p"),
    };
    const make = FILES["pipelines/toy/make.mjs"]!.replaceAll("predictions.csv", "other-predictions.csv");
    const pipeline = FILES["pipelines/toy.yaml"]!.replaceAll("predictions.csv", "other-predictions.csv");
    const moved = await rig.commit(
      clone,
      { ...renamed, "pipelines/toy/make.mjs": make, "pipelines/toy.yaml": pipeline },
      "moved",
    );
    const unfit = await promoteAt(fake, clone, moved, { before });
    expect(unfit).toMatchObject({
      outcome: "refused",
      reasons: [expect.stringMatching(/the new one judges from the next push on.*build\/predictions\.csv/)],
    });
    expect(await promoteAt(fake, clone, moved, { before: pushed })).toMatchObject({ outcome: "refused" });
    expect(await promoteAt(fake, clone, moved, { before: moved })).toMatchObject({ outcome: "promoted", version: 2 });
  });

  it("gives one version when two promote at once", async () => {
    await using rig = await Rig.create();
    await using fake = await FakeGitHub.start();
    const clones = [await rig.clone(), await rig.clone()];
    const commit = rig.git(rig.bare, "rev-parse", "main");
    const outcomes = await Promise.all(clones.map((clone) => promoteAt(fake, clone, commit)));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(["current", "promoted"]);
    expect(outcomes.map(({ version }) => version)).toEqual([1, 1]);
    expect(lockOf(rig).versions).toHaveLength(1);
    expect(fake.releases.filter((release) => release["draft"] === false)).toHaveLength(1);
  });

  it("never goes back to an earlier commit, and keeps what a person took back", async () => {
    await using rig = await Rig.create();
    await using fake = await FakeGitHub.start();
    const clone = await rig.clone();
    const old = rig.git(clone, "rev-parse", "HEAD");
    await promoteAt(fake, clone, old);
    const better = await rig.commit(clone, { "params.yaml": "wrong: 10\n" }, "better");
    expect(await promoteAt(fake, clone, better)).toMatchObject({ outcome: "promoted", version: 2 });
    const late = await rig.clone();
    rig.git(late, "checkout", "--quiet", "--detach", old);
    expect(await promoteAt(fake, late, old)).toMatchObject({ outcome: "superseded", version: null });

    const rolledBack = { ...lockOf(rig), aliases: { production: 1 } };
    const text = `${JSON.stringify(rolledBack, null, 2)}\n`;
    const rollback = await rig.commit(clone, { "models/toy/lock.json": text }, "roll back");
    expect(await promoteAt(fake, clone, rollback)).toMatchObject({ outcome: "held", version: null });

    const reverted = { ...rolledBack, versions: rolledBack.versions.slice(0, 1) };
    const without = `${JSON.stringify(reverted, null, 2)}\n`;
    const revert = await rig.commit(clone, { "models/toy/lock.json": without }, "revert the promotion");
    expect(await promoteAt(fake, clone, revert)).toMatchObject({ outcome: "held", version: null });
    expect(lockOf(rig).aliases).toEqual({ production: 1 });
  });

  it("brings an older version back when the sources go back", async () => {
    await using rig = await Rig.create();
    await using fake = await FakeGitHub.start();
    const clone = await rig.clone();
    await promoteAt(fake, clone, rig.git(clone, "rev-parse", "HEAD"));
    await promoteAt(fake, clone, await rig.commit(clone, { "params.yaml": "wrong: 10\n" }, "better"));
    const revert = await rig.commit(clone, { "params.yaml": "wrong: 20\n" }, "revert");
    expect(await promoteAt(fake, clone, revert)).toMatchObject({ outcome: "restored", version: 1, cached: true });
    expect(lockOf(rig)).toMatchObject({ aliases: { production: 1 }, versions: [{ version: 1 }, { version: 2 }] });
    expect(rig.file("models/toy/CARD.md")).toContain("toy, version 1");
  });

  it("does not use a record that nobody vouches for", async () => {
    await using rig = await Rig.create();
    await using fake = await FakeGitHub.start();
    const clone = await rig.clone();
    const context = contextFor(clone);
    // A person's own run leaves a record on the machine; promotion must not build on it.
    const { experiment } = await import("../../src/pipeline/index.ts");
    value(await experiment(context));
    expect(runsOf(clone)).toBe(1);
    await promoteAt(fake, clone, rig.git(clone, "rev-parse", "HEAD"));
    expect(runsOf(clone)).toBe(2);
  });

  it("tells what is wrong with a model's file, and names a working tree that is elsewhere", async () => {
    await using rig = await Rig.create();
    await using fake = await FakeGitHub.start();
    const clone = await rig.clone();
    const context = contextFor(clone);
    const wrong = modelYaml(0.8).replace("build/model.bin", "build/other.bin");
    const commit = await rig.commit(clone, { "models/toy/model.yaml": wrong }, "wrong path");
    const failed = await promote(context, fake.connect(), optionsFor(context, commit));
    expect(failed).toMatchObject({
      ok: false,
      failures: [{ code: "file-invalid", at: { file: "models/toy/model.yaml", line: 4 } }],
    });
    const elsewhere = await promote(context, fake.connect(), optionsFor(context, "f".repeat(40)));
    expect(elsewhere).toMatchObject({ ok: false, failures: [{ code: "usage" }] });
  });
});
