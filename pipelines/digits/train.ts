import { writeFile } from "node:fs/promises";
import { chooseBackend } from "../lib/backend.ts";
import { saveModel } from "../lib/model-file.ts";
import { readParams } from "../lib/params.ts";
import { readExamples, writeTable } from "./examples.ts";
import { trainDigits, trainParams } from "./training.ts";
import type { Epoch } from "./training.ts";

const params = await readParams("train", trainParams);
const train = await readExamples("build/digits/split/train.csv");
const validation = await readExamples("build/digits/split/validation.csv");

const backend = await chooseBackend(process.env["TFJS_BACKEND"]);
console.log(`backend ${backend}; ${train.length} examples, ${params.epochs} epochs`);

const history: Epoch[] = [];
const { model } = trainDigits({ train, validation }, params, (epoch) => {
  history.push(epoch);
  const { trainLoss, validationLoss, validationAccuracy } = epoch;
  console.log(
    `epoch ${epoch.epoch}: loss ${trainLoss.toFixed(4)}, ` +
      `validation loss ${validationLoss.toFixed(4)}, accuracy ${(100 * validationAccuracy).toFixed(2)} %`,
  );
});

await saveModel(model, "build/digits/model");
await writeTable(
  "build/digits/history.csv",
  ["epoch", "train_loss", "validation_loss", "validation_accuracy"],
  history.map((epoch) => [epoch.epoch, epoch.trainLoss, epoch.validationLoss, epoch.validationAccuracy]),
);
const last = history.at(-1);
const report = {
  backend,
  examples: train.length,
  parameters: model.countParams(),
  train_loss: last?.trainLoss,
  validation_accuracy: last?.validationAccuracy,
  validation_loss: last?.validationLoss,
};
await writeFile("build/digits/training.json", `${JSON.stringify(report, null, 2)}\n`);
