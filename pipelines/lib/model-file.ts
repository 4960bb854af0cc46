import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tl from "@tensorflow/tfjs-layers";
import { z } from "zod";

const fileSchema = z.looseObject({
  format: z.literal("layers-model"),
  modelTopology: z.looseObject({}),
  weightsManifest: z.tuple([z.looseObject({ weights: z.array(z.custom<tf.io.WeightsManifestEntry>()) })]),
});

/** Writes a model in TensorFlow.js' own form (model.json and weights.bin), without its time stamp: equal models, equal bytes. */
export async function saveModel(model: tl.LayersModel, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await model.save(
    tf.io.withSaveHandler(async (artifacts) => {
      const { modelTopology, weightSpecs, weightData } = artifacts;
      const weights = Buffer.concat([weightData ?? []].flat().map((part) => Buffer.from(part)));
      const document = {
        format: "layers-model",
        generatedBy: artifacts.generatedBy ?? null,
        convertedBy: null,
        modelTopology,
        weightsManifest: [{ paths: ["weights.bin"], weights: weightSpecs }],
      };
      await writeFile(join(folder, "weights.bin"), weights);
      await writeFile(join(folder, "model.json"), `${JSON.stringify(document)}\n`);
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
}

/** Reads what `saveModel` wrote. */
export async function loadModel(folder: string): Promise<tl.LayersModel> {
  const document = fileSchema.parse(JSON.parse(await readFile(join(folder, "model.json"), "utf8")));
  const weights = await readFile(join(folder, "weights.bin"));
  return tl.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: document.modelTopology,
      weightSpecs: document.weightsManifest[0].weights,
      weightData: new Uint8Array(weights).buffer,
    }),
  );
}
