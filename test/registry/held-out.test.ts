import { expect, it } from "vitest";
import type { ModelLock } from "../../src/config/index.ts";
import { promote } from "../../src/registry/index.ts";
import type { PromoteOptions, Promotion } from "../../src/registry/index.ts";
import { reportSchema } from "../../src/report/index.ts";
import { FakeGitHub } from "../github/fake.ts";
import { lockstep } from "../helpers/cli.ts";
import { value } from "../helpers/value.ts";
import { contextFor, FILES, modelYaml, optionsFor, Rig } from "./rig.ts";

/** As the rig's model, which is wrong twice as often on 200 examples that are held out. */
const MAKE = `${FILES["pipelines/toy/make.mjs"]}
const out = rows.map((_, i) => ["h" + i, i % 2, i < 2 * wrong ? 1 - (i % 2) : i % 2].join(","));
writeFileSync("build/holdout.csv", "id,label,prediction\\n" + out.join("\\n") + "\\n");
`;
const held = (gates: string): string =>
  modelYaml(0.1).replace("  task:", `  held_out: {predictions: build/holdout.csv, gates: [${gates}]}\n  task:`);
const PROJECT = {
  ...FILES,
  "pipelines/toy/make.mjs": MAKE,
  "pipelines/toy.yaml": FILES["pipelines/toy.yaml"]!.replace("outs: [", "outs: [build/holdout.csv, "),
  "models/toy/model.yaml": held("{metric: accuracy, min: 0.7}, {metric: accuracy, max_regression: 0.1}"),
};

it("judges by the held-out set at promotion alone: lock and card say what was found, no report does", async () => {
  await using rig = await Rig.create(PROJECT);
  await using fake = await FakeGitHub.start();
  const lockOf = (): ModelLock => JSON.parse(rig.file("models/toy/lock.json")) as ModelLock;
  const at = async (files: Record<string, string>, more: Partial<PromoteOptions> = {}): Promise<Promotion> => {
    const clone = await rig.clone();
    const before = rig.git(clone, "rev-parse", "HEAD");
    const commit = await rig.commit(clone, files, "change");
    const context = contextFor(clone);
    const options = { ...optionsFor(context, commit), before, ...more };
    return value(await promote(context, fake.connect(), options))[0] as Promotion;
  };
  expect(await at({ "params.yaml": "wrong: 10\n" })).toMatchObject({ outcome: "promoted", version: 1 });
  expect(lockOf().versions[0]).toMatchObject({
    metrics: { accuracy: 0.95 },
    heldOut: { metrics: { accuracy: 0.9 }, looks: 1 },
  });
  expect(rig.file("models/toy/CARD.md")).toMatch(
    /## Held-out metrics\n\n\| metric \| value \|\n.*\n\| accuracy \| 0\.9 \|/,
  );

  // Good enough by all that a report shows; and the push cannot take the held-out set away.
  for (const files of [{ "params.yaml": "wrong: 40\n" }, { "models/toy/model.yaml": modelYaml(0.1) }]) {
    expect(await at(files)).toMatchObject({
      outcome: "refused",
      reasons: [
        expect.stringMatching(/^held-out: accuracy at least 0\.7: 0\.6/),
        expect.stringMatching(/^held-out: accuracy at most 0\.1 worse than base: /),
        "held-out: this was look 2 at these examples",
      ],
    });
    // The second one is judged by what the branch promised before it.
    await at({ "models/toy/model.yaml": PROJECT["models/toy/model.yaml"] }, { models: [] });
  }
  expect(lockOf().versions).toHaveLength(1);

  const clone = await rig.clone();
  rig.git(clone, "fetch", "--quiet", "origin", "lockstep-records:refs/remotes/origin/lockstep-records");
  const report = await lockstep(clone, "compare", "toy@v1", "HEAD", "--json");
  const made = reportSchema.parse(JSON.parse(report.stdout));
  expect(made.models).toMatchObject([{ name: "toy", looks: { count: 2, since: expect.any(String) as string } }]);
  for (const hidden of ["holdout", "held", lockOf().versions[0]!.heldOut!.predictions])
    expect(report.stdout.toLowerCase()).not.toContain(hidden);
});
