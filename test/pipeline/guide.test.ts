import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { workingTree } from "../../src/git/index.ts";
import { loadPipeline } from "../../src/pipeline/index.ts";
import { loadSettings } from "../../src/records/index.ts";
import { value } from "../helpers/value.ts";
import { project, runDemo } from "./project.ts";

const guide = readFileSync(join(import.meta.dirname, "../../docs/pipelines.md"), "utf8");
const examples = [...guide.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map((match) => match[1]!);

test("the first example of the guide is a pipeline", async () => {
  using at = project({
    "pipelines/churn.yaml": examples[0]!,
    "pipelines/churn/prepare.ts": "",
    "pipelines/churn/train.py": "",
    "pipelines/churn/evaluate.py": "",
    "data/customers": "",
    "uv.lock": "",
  });
  const { stages } = value(await loadPipeline(workingTree(at.context), "churn"));
  expect(stages.map(({ name }) => name)).toEqual(["prepare", "train", "evaluate"]);
});

test("the example on variables gives the stages that the guide says", async () => {
  using at = project({
    "dvc.yaml": examples[1]!,
    "params.yaml": "train: {lr: 0.01, augment: true}\n",
    "conf/paths.yaml": "raw: raw\n",
    "train.py": "",
  });
  const { stages } = value(await loadPipeline(workingTree(at.context), "dvc"));
  expect(stages.map(({ name }) => name).sort()).toEqual([
    "fetch@gb",
    "fetch@us",
    "train@gb-1",
    "train@gb-2",
    "train@us-1",
    "train@us-2",
  ]);
  const { cmd, needs, outs } = stages.find(({ name }) => name === "train@us-2")!;
  expect(guide).toContain(`\`${cmd[0]}\``);
  expect({ needs, outs: outs.map(({ path }) => path) }).toEqual({
    needs: ["fetch@us"],
    outs: ["models/us-2/resnet18.bin"],
  });
});

test("the function of the guide gives the tables that the guide says", async () => {
  const [code] = /^```ts\n([\s\S]*?)^```/m.exec(guide)!.slice(1);
  using at = project({
    "pipelines/demo.yaml": examples[2]!,
    "pipelines/shop/prepare.ts": code!,
    "data/orders.csv": "id,amount\na,1.5\nb,2\nc,3\n",
    "params.yaml": "prepare: {share: 0.5}\n",
  });
  const outcome = await runDemo(at.context);
  expect(outcome.failures).toEqual([]);
  expect(outcome.run.metrics).toEqual({ "build/shop/counts.json": { train: 2, test: 1 } });
  expect(at.read("build/shop/train.csv")).toBe("id,amount\na,1.5\nb,2\n");
});

test("the example on checkpoints", async () => {
  using at = project({
    "pipelines/demo.yaml": examples.find((example) => example.includes("checkpoint:"))!,
    "train.py": "",
    "data/images/0": "",
  });
  const { stages } = value(await loadPipeline(workingTree(at.context), "demo"));
  expect(stages[0]?.checkpoint).toMatchObject({ path: "checkpoints/train", everyMs: 300_000 });
});

test("the example on hooks", async () => {
  const text = examples.find((example) => example.startsWith("hooks:"))!;
  using at = project({ "pipelines/demo.yaml": text, "train.py": "" });
  const { hooks, stages } = value(await loadPipeline(workingTree(at.context), "demo"));
  const names = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name);
  expect([names(hooks.before), names(hooks.after)]).toEqual([["before_run"], ["after_run", "after_run"]]);
  expect([names(stages[0]!.hooks.before), names(stages[0]!.hooks.after)]).toEqual([["before"], ["after_stage"]]);
});

test("the settings of the guide give each kind of runner its rate", async () => {
  const path = ".github/lockstep.yml";
  using at = project({ [path]: examples.find((text) => text.startsWith(`# ${path}`))! });
  const settings = value(await loadSettings(workingTree(at.context)));
  const labels = [settings?.runners?.cpu ?? [], settings?.runners?.gpu ?? []].map((label) => [label].flat());
  const rates = settings?.cost?.per_hour ?? {};
  expect(labels.map((of) => of.flatMap((label) => rates[label] ?? []))).toEqual([[0.48], [4.2]]);
});
