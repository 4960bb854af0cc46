import { expect, test } from "vitest";
import { FILES, MODEL, PIPELINE, Rig } from "./rig.ts";

/** All that is made lies in one folder, which is the output, and the store packs its files together. */
const inFolder = (text: string): string => text.replaceAll("build/", "build/out/");
const PROJECT = {
  ...FILES,
  "src/make.mjs": `${inFolder(FILES["src/make.mjs"]!).replaceAll('"build"', '"build/out"')}
writeFileSync("build/out/validation.csv", readFileSync("build/out/predictions.csv"));
`,
  "pipelines/toy.yaml": PIPELINE.slice(0, PIPELINE.indexOf("plots:"))
    .replace("outs: [build/model.bin]", "outs: [build/out]")
    .replace(/ +metrics: .*\n +predictions: .*\n/, ""),
  "models/toy/model.yaml": inFolder(MODEL).replace(
    "  metrics:",
    "  threshold: {maximize: f1, on: build/out/validation.csv}\n  metrics:",
  ),
};

test("predictions and validation examples in a folder that a stage makes are found there", async () => {
  await using rig = await Rig.start(PROJECT);
  await rig.recordBase();
  const change = await rig.propose("better", { "params.yaml": "model:\n  wrong: 4\n  sure: 0.8\n" });
  expect(await rig.report(change)).toMatchObject({ verdict: "better", conclusion: "success" });
  const [comment = ""] = rig.ours(change);
  expect(comment).toContain("`accuracy` 0.9000 → 0.9800");
  expect(comment).toContain("Flipped predictions: 16 fixed, 0 broken");
}, 120_000);
