import { expect, test } from "vitest";
import { ok } from "../../src/core/index.ts";
import { reportSchema } from "../../src/report/index.ts";
import { lockstep } from "../helpers/cli.ts";
import { value } from "../helpers/value.ts";
import { FILES, MODEL, PIPELINE, Rig, resultZip, sh } from "./rig.ts";

/** Held-out examples, of which 23 more are wrong than of the test set: the numbers are unlike any other. */
const MAKE = `${FILES["src/make.mjs"]}
const out = rows.map((_, i) => ["hidden" + i, i % 2, i < wrong + 23 ? 1 - (i % 2) : i % 2, 0.5].join(","));
const holdout = "id,label,prediction,score\\n" + out.join("\\n") + "\\n";
writeFileSync("build/holdout.csv", holdout);
`;
const HELD = MODEL.replace("  task:", "  held_out: {predictions: build/holdout.csv}\n  task:");
const OUTS = PIPELINE.replace("outs: [build/model.bin]", "outs: [build/model.bin, build/holdout.csv]");
const PROJECT = { ...FILES, "src/make.mjs": MAKE, "models/toy/model.yaml": HELD, "pipelines/toy.yaml": OUTS };

/** Everything that a pull request could write to have the held-out examples shown. */
const SPY = {
  // The model itself no longer holds them out, and is evaluated on them.
  "models/toy/model.yaml": MODEL.replace("build/predictions.csv", "build/holdout.csv"),
  "models/spy/model.yaml": MODEL.replace("build/predictions.csv", "build/holdout.csv"),
  "models/copy/model.yaml": MODEL.replace("build/predictions.csv", "build/copy.csv"),
  "models/packed/model.yaml": MODEL.replace("build/predictions.csv", "build/folder/copy.csv"),
  "src/make.mjs": `${MAKE}
writeFileSync("build/copy.csv", holdout);
mkdirSync("build/folder", { recursive: true });
writeFileSync("build/folder/copy.csv", holdout);
`,
  "pipelines/toy.yaml": `${OUTS.replace("build/holdout.csv]", "build/holdout.csv, build/copy.csv, build/folder]")}
  - shown: { template: confusion, x: label, y: { build/holdout.csv: prediction } }
  - copied: { template: confusion, x: label, y: { build/copy.csv: prediction } }
  - packed: { template: confusion, x: label, y: { build/folder/copy.csv: prediction } }
`,
  "params.yaml": "model:\n  wrong: 4\n  sure: 0.8\n",
};

test("no report opens what the base holds out, whatever the pull request calls it", { timeout: 120_000 }, async () => {
  await using rig = await Rig.start(PROJECT);
  await rig.recordBase();
  const change = await rig.propose("spy", SPY);
  const document = await rig.experiment(change.merge);
  expect(document.stages.flatMap(({ outs }) => outs.map(({ path }) => path as string))).toContain("build/copy.csv");
  let page = "";
  const keepPage = async (
    html: string,
  ): ReturnType<NonNullable<Parameters<typeof rig.publishRun>[2]>["keepPage"] & {}> => {
    page = html;
    return ok("https://example.com/page");
  };
  const id = await rig.leave(change, resultZip(document));
  value(await rig.publishRun(change, { id }, { keepPage }));
  const [comment = ""] = rig.ours(change);
  // The base's evaluation judges: 4 of 200 are wrong. On the held-out examples it would be 27.
  expect(comment).toContain("`accuracy` 0.9000 → 0.9800");
  expect(comment).toContain("Below: 1 model more. ");
  expect(comment).toContain("This pull request edits the evaluation.");
  for (const path of ["build/holdout.csv", "build/copy.csv", "build/folder/copy.csv"]) {
    expect(comment).toContain(`${path} is held out for promotion, or a copy of what is`);
    expect(page).toMatch(new RegExp(`${path}[^.]*: it is held out`));
  }

  const { clone } = rig;
  await sh(clone, "fetch", "--quiet", "origin", "lockstep-records:refs/remotes/origin/lockstep-records");
  await sh(clone, "fetch", "--quiet", "origin", `${change.merge}:refs/heads/spy`);
  const compared = await lockstep(clone, "compare", "main", "spy", "--json");
  const made = reportSchema.parse(JSON.parse(compared.stdout));
  expect(made.models.map(({ name, metrics }) => [name, metrics[0]?.head])).toEqual([
    ["toy", 0.98],
    ["copy", null],
    ["packed", null],
    ["spy", null],
  ]);
  for (const text of [comment, page, compared.stdout]) expect(text).not.toMatch(/hidden\d|0\.865/);
});
