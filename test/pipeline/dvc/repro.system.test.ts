import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describe as told } from "../../../src/core/index.ts";
import { loadDatasets, statusData } from "../../../src/data/index.ts";
import { workingTree } from "../../../src/git/index.ts";
import { loadPipeline, plan, run, topMetrics } from "../../../src/pipeline/index.ts";
import { contextIn, sh, temporary, write } from "../../git/repository.ts";
import { value } from "../../helpers/value.ts";
import { local } from "../project.ts";
import type { Files } from "./corpus.ts";
import { judged, version } from "./judge.ts";

interface Judged {
  readonly changed: readonly string[];
  readonly tracked: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly refused?: string;
}

/** A bit of everything: data of DVC's, a folder as output, a part of it as dep, git-kept metrics, wdir, groups, two files. */
const YAML = `stages:
  prepare:
    cmd: echo prepare >> ran && mkdir -p split/deep && sort raw/rows > split/rows && cp raw/deep/seed split/deep/seed
    deps: [raw, src/prepare.py]
    params: [seed, conf.py: [LIMIT]]
    outs: [split]
  train:
    cmd:
      - echo train >> ran
      - cat split/rows params.yaml > model && echo '{"acc":0.5}' > metrics.json
    deps: [split, src]
    params: [train, conf.toml: ]
    outs: [model]
    metrics: [metrics.json: {cache: false}]
  part: {cmd: echo part >> ran && cp split/deep/seed part, deps: [split/deep], outs: [part]}
  inner: {cmd: echo inner >> ../ran && cp ../part out, wdir: sub, deps: [../part], outs: [out]}
  each:
    matrix: {n: [1, 2.0]}
    cmd: echo each-\${item.n} >> ran && echo \${item.n} > "each-\${item.n}"
    deps: [one.txt]
    outs: ["each-\${item.n}"]
metrics: [hand.json]
params: [conf.toml]
artifacts: {best: {path: model, type: model}}
`;
const BASE: Files = {
  ".dvc/config": "",
  ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
  ".gitignore": ".lockstep/\nran\n",
  "raw/rows": "b\na\n",
  "raw/deep/seed": "1\n",
  "one.txt": "one\n",
  "src/prepare.py": "prepare\n",
  "src/train.py": "train\n",
  "params.yaml": "seed: 1.0\ntrain: {lr: 0.01, opt: {name: adam, betas: [0.9, 0.999]}}\nunused: 1\n",
  "conf.toml": "rate = 0.5\n[model]\nsize = 3\n",
  "conf.py": "LIMIT = 10\n",
  "hand.json": '{"a": {"b": 1.5, "text": "x"}}\n',
  "sub/keep": "",
  "sub/dvc.yaml": "stages:\n  last: {cmd: echo last >> ../ran && cp ../model last, deps: [../model], outs: [last]}\n",
  "dvc.yaml": YAML,
};

interface Edit {
  readonly write?: Files;
  readonly remove?: readonly string[];
  /** `dvc add` again. */
  readonly add?: readonly string[];
}
const frozen = YAML.replace("  train:\n", "  train:\n    frozen: true\n");

/** What a person does after `dvc repro`; both sides then run what they think must. */
const edits: Readonly<Record<string, Edit>> = {
  nothing: {},
  "a parameter": { write: { "params.yaml": BASE["params.yaml"]!.replace("0.999", "0.99") } },
  "a parameter that nobody reads": { write: { "params.yaml": BASE["params.yaml"]!.replace("unused: 1", "unused: 2") } },
  "the spelling of a parameter": {
    write: { "params.yaml": BASE["params.yaml"]!.replace("1.0", "1").replace("0.01", "1e-2") },
  },
  "a parameter of a whole file": { write: { "conf.toml": "rate = 0.5\n[model]\nsize = 4\n" } },
  "a parameter more in a whole file": { write: { "conf.toml": `more = 1\n${BASE["conf.toml"]!}` } },
  "a parameter in Python": { write: { "conf.py": "LIMIT = 11\n" } },
  "a file that is a dep": { write: { "one.txt": "two\n" } },
  "a file of a folder that is a dep": { write: { "src/train.py": "other\n" } },
  "a file more in a folder that is a dep": { write: { "src/more.py": "more\n" } },
  "a command": { write: { "dvc.yaml": YAML.replace("sort raw/rows", "sort -r raw/rows") } },
  "a command of a group": { write: { "dvc.yaml": YAML.replace('> "each-', '>> "each-') } },
  "a dep more": { write: { "dvc.yaml": YAML.replace("deps: [split/deep]", "deps: [split/deep, one.txt]") } },
  "a dep less": { write: { "dvc.yaml": YAML.replace("deps: [split, src]", "deps: [split]") } },
  "a parameter more": { write: { "dvc.yaml": YAML.replace("params: [train,", "params: [train, unused,") } },
  always_changed: { write: { "dvc.yaml": YAML.replace("  part: {", "  part: {always_changed: true, ") } },
  "data, that comes out as before": { write: { "raw/rows": "a\nb\n" }, add: ["raw"] },
  data: { write: { "raw/rows": "c\n" }, add: ["raw"] },
  "outputs that went, and are in the cache": { remove: ["split", "model", "part"] },
  "an output that was changed": { write: { part: "edited\n" } },
  "data and outputs that went": { remove: ["raw", "split", "model", "part", "sub/out", "sub/last"] },
  "outputs and cache that went": {
    remove: ["split", "model", "part", ".dvc/cache/runs", ".dvc/cache/files"],
    add: ["raw"],
  },
  "metrics that git keeps": { remove: ["metrics.json"] },
  frozen: { write: { "dvc.yaml": frozen } },
  "frozen, and all before it changed": {
    write: { "dvc.yaml": frozen, "raw/rows": "c\n", "src/train.py": "other\n" },
    add: ["raw"],
  },
  "frozen, and its command and parameters changed": {
    write: {
      "dvc.yaml": frozen.replace("cat split/rows", "cat split/deep/seed"),
      "params.yaml": BASE["params.yaml"]!.replace("0.01", "1"),
    },
  },
  "frozen, and its output went": {
    write: { "dvc.yaml": frozen },
    remove: ["model", ".dvc/cache/files", ".dvc/cache/runs"],
    add: ["raw"],
  },
};

/** Where we do otherwise on purpose: docs/pipelines.md says so. */
const otherwise: Readonly<Record<string, { readonly ran: readonly string[]; readonly refused: boolean }>> = {
  // DVC's run cache takes the values of a whole file for the same (3.67), and brings back the old output.
  "a parameter of a whole file": { ran: ["train"], refused: false },
  // DVC stops where data that it tracks is not in place; we bring it.
  "data and outputs that went": { ran: [], refused: false },
  // DVC makes again what is in place and not in its cache; to us it is there.
  "outputs and cache that went": { ran: ["prepare", "train"], refused: false },
  // DVC finds out on its way; we do before anything runs.
  "frozen, and its output went": { ran: [], refused: true },
};

function ranIn(folder: string): string[] {
  const file = join(folder, "ran");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean).sort() : [];
}

describe.skipIf(version === undefined)(`after \`dvc repro\` (DVC ${version})`, () => {
  let folder: ReturnType<typeof temporary>;
  const place = (name: string, side: "theirs" | "ours" | "before"): string =>
    join(folder.path, `${side}-${Object.keys(edits).indexOf(name)}`);
  let theirs: Judged[] = [];

  beforeAll(() => {
    folder = temporary();
    const base = join(folder.path, "base");
    write(base, BASE);
    sh(base, "init", "--quiet");
    judged("repro.py", [{ folder: base, add: ["raw"], repro: true }]);
    rmSync(join(base, "ran"));
    sh(base, "add", "--all");
    sh(base, "commit", "--quiet", "-m", "reproduced");
    for (const [name, { write: files = {}, remove = [] }] of Object.entries(edits)) {
      for (const side of ["theirs", "ours"] as const) {
        cpSync(base, place(name, side), { recursive: true });
        write(place(name, side), files);
        for (const path of remove) rmSync(join(place(name, side), path), { recursive: true, force: true });
      }
    }
    const requests = (side: "theirs" | "ours", repro: boolean): object[] =>
      Object.entries(edits).map(([name, { add = [] }]) => ({ folder: place(name, side), add, repro }));
    // On our side `dvc add` alone.
    judged("repro.py", requests("ours", false));
    theirs = judged<Judged>("repro.py", requests("theirs", true));
  }, 400_000);
  afterAll(() => folder?.[Symbol.dispose]());

  test.each(Object.keys(edits))("%s: the same stages run", async (name) => {
    const judge = theirs[Object.keys(edits).indexOf(name)]!;
    const here = place(name, "ours");
    const context = contextIn(here);
    const basics = local(context);
    const pipeline = value(await loadPipeline(basics.source, "dvc"));
    const planned = await plan(context, { ...basics, pipeline });
    const outcome = await run(context, { ...basics, pipeline, commit: async () => null, restore: "all" });
    const refused = outcome.ok ? outcome.value.failures : outcome.failures;
    const expected = otherwise[name] ?? { ran: ranIn(place(name, "theirs")), refused: judge.refused !== undefined };
    expect({ ran: ranIn(here), refused: refused.length > 0, why: refused.map(told) }).toMatchObject(expected);
    if (!planned.ok || !outcome.ok) return;
    // What was planned with its inputs known is what happened.
    const known = planned.value.stages.filter(({ key, action }) => key !== null || action === "cached");
    const happened = new Map(outcome.value.run.stages.map(({ stage, status }) => [stage, status]));
    for (const { stage, action } of known) expect([stage, happened.get(stage)]).toEqual([stage, action]);
    const again = value(await plan(context, { ...basics, pipeline: value(await loadPipeline(basics.source, "dvc")) }));
    expect(again.stages.filter(({ action }) => action === "run").map(({ stage }) => stage)).toEqual(
      name === "always_changed" ? expect.any(Array) : [],
    );
  });

  test("data and metrics are read alike", async () => {
    const at = Object.keys(edits).indexOf("nothing");
    const here = place("nothing", "ours");
    const source = workingTree(contextIn(here));
    const tracked = value(await loadDatasets(source)).map(({ dataset }) => [dataset.path, dataset.digest]);
    const named = Object.entries(theirs[at]!.tracked).map(([path, md5]) => [path, `md5:${md5}`]);
    expect(tracked).toEqual(named);
    expect(value(await statusData(contextIn(here))).map(({ state, cached }) => [state, cached])).toEqual([
      ["unchanged", true],
    ]);
    const { metrics } = value(await topMetrics(source, value(await loadPipeline(source, "dvc"))));
    expect(metrics).toEqual({ "hand.json": { "a.b": 1.5 } });
    expect(theirs[at]!.metrics).toMatchObject({
      "hand.json": { a: { b: 1.5, text: "x" } },
      "metrics.json": { acc: 0.5 },
    });
    expect(theirs[at]!.params).toMatchObject({ "conf.toml": { rate: 0.5, model: { size: 3 } } });
  });
});
