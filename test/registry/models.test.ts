import { describe, expect, it } from "vitest";
import type { ModelConfig, ModelLock, ModelVersion } from "../../src/config/index.ts";
import { fileJson, ok } from "../../src/core/index.ts";
import type { Digest, StageKey } from "../../src/core/index.ts";
import type { Source } from "../../src/git/index.ts";
import { liveModels, loadModelLock, loadModels, planPromotion, renderCard } from "../../src/registry/index.ts";
import type { Candidate } from "../../src/registry/index.ts";
import { value } from "../helpers/value.ts";
import { modelYaml } from "./rig.ts";

function sourceOf(files: Readonly<Record<string, string>>): Source {
  const paths = Object.keys(files).sort();
  return {
    label: "a test",
    commit: null,
    read: async (path) => ok(files[path] === undefined ? undefined : Buffer.from(files[path])),
    list: async (folder) => ok(paths.filter((path) => folder === "" || path.startsWith(`${folder}/`))),
    stat: async (path) => ok(files[path] === undefined ? undefined : "file"),
    mode: async () => ok("644"),
  };
}

const digest = (n: number): Digest => `sha256:${String(n).padStart(64, "0")}` as Digest;
const candidate = (n: number): Candidate => ({
  digest: digest(n),
  size: 1,
  files: { "model.bin": digest(100 + n) },
  key: "b".repeat(64) as StageKey,
  predictions: digest(200 + n),
  commit: "c".repeat(40),
  data: {},
  params: {},
  metrics: { accuracy: 0.9 },
  verdict: "better",
  pullRequest: null,
  createdAt: "2026-01-01T00:00:00.000Z",
  run: "https://github.test/run",
});
const version = (n: number): ModelVersion => ({ ...candidate(n), version: n, release: `toy/v${n}` });
const lock = (versions: number[], production: number | null): ModelLock => ({
  lockfileVersion: 1,
  model: "toy",
  versions: versions.map(version),
  aliases: { production },
});

describe("reading models", () => {
  it("tells all problems of all model files at once, and knows what is no model", async () => {
    const source = sourceOf({
      "models/a/model.yaml": "version: 1\npipelin: x\n",
      "models/b/model.yaml": "version: 2\n",
      "models/toy/model.yaml": modelYaml(0.5),
      "models/README.md": "",
      "models/toy/sub/model.yaml": "not one",
    });
    const models = await loadModels(source);
    const places = models.ok ? [] : models.failures.map((failure) => ("at" in failure ? failure.at?.file : ""));
    expect(new Set(places)).toEqual(new Set(["models/a/model.yaml", "models/b/model.yaml"]));
  });

  it.each([
    ["<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n", "merge-conflict"],
    [fileJson({ ...lock([1, 1], 1) }), "file-invalid"],
    [fileJson(lock([1], 2)), "file-invalid"],
    [fileJson({ ...lock([1], 1), model: "other" }), "file-invalid"],
    [fileJson({ ...lock([1], 1), extra: 1 }), "file-invalid"],
  ])("refuses a lockfile that a merge has spoilt (%#)", async (text, code) => {
    const source = sourceOf({ "models/toy/lock.json": text });
    expect(await loadModelLock(source, "toy")).toMatchObject({ ok: false, failures: [{ code }] });
  });

  it("finds what is in production", async () => {
    const source = sourceOf({
      "models/toy/model.yaml": modelYaml(0.5),
      "models/toy/lock.json": fileJson(lock([1, 2], 1)),
      "models/new/model.yaml": modelYaml(0.5),
    });
    expect(value(await liveModels(source)).map((live) => [live.model.name, live.version.version])).toEqual([
      ["toy", 1],
    ]);
    expect(await liveModels(source, ["toi"])).toMatchObject({ ok: false, failures: [{ known: ["new", "toy"] }] });
  });
});

describe("the plan of a promotion", () => {
  const plan = (options: Partial<Parameters<typeof planPromotion>[0]>) =>
    planPromotion({ lock: lock([], null), candidate: candidate(9), failedGates: [], removedBefore: false, ...options });

  it("numbers on from the highest, whatever is in production", () => {
    const planned = plan({ lock: lock([1, 2, 5], 2) });
    expect(planned).toMatchObject({ action: "append", version: { version: 6, release: "toy/v6" } });
    expect(planned.action === "append" && planned.lock.aliases).toEqual({ production: 6 });
  });

  it("judges only what would be new", () => {
    const failedGates = ["accuracy at least 1"];
    expect(plan({ failedGates }).action).toBe("refused");
    expect(plan({ failedGates, lock: lock([1, 9], 9) }).action).toBe("none");
    expect(plan({ failedGates, lock: lock([9, 10], 10) })).toMatchObject({
      action: "restore",
      version: { version: 9 },
    });
  });

  it("leaves what a person took back", () => {
    expect(plan({ lock: lock([1, 9], 1) }).action).toBe("held");
    expect(plan({ lock: lock([1], 1), removedBefore: true }).action).toBe("held");
  });
});

it("a card says in words what model.yaml's card says, each field under its own heading", () => {
  const card = { intended_use: "Posts **codes**.", limitations: "# Not a heading\nNeither\n===\n", owner: " " };
  const text = renderCard("toy", { pipeline: "toy", card } as unknown as ModelConfig, version(1));
  expect(text).toContain(
    "\n\n## Intended use\n\nPosts **codes**.\n\n## Limitations\n\n\\# Not a heading\nNeither\n\\===\n\n",
  );
  expect(text).not.toContain("Owner");
});

it("a card shows what stands in the files as text, whatever it says", () => {
  const params = { "params.yaml": { "a|b\n# Title": "<img src=x> @someone [x](http://y)" } };
  const config = { pipeline: "toy", serving: { input: "in|put", output: "o" } } as unknown as ModelConfig;
  const card = renderCard("toy", config, { ...version(1), params });
  const row = card.split("\n").find((line) => line.includes("Title"));
  expect(row).toBe("| params.yaml: a\\|b \\# Title | \\<img src=x\\> \\@someone \\[x\\](http://y) |");
  expect(card.match(/^# /gm)).toHaveLength(1);
});

it("what is held out is another file than the one that reports open", async () => {
  const text = modelYaml(0.8).replace("  task:", "  held_out: {predictions: build/predictions.csv}\n  task:");
  const loaded = await loadModels(sourceOf({ "models/toy/model.yaml": text }));
  expect(loaded).toMatchObject({
    failures: [{ code: "file-invalid", at: { line: 7, column: 27 }, problem: expect.stringMatching(/of its own/) }],
  });
});
