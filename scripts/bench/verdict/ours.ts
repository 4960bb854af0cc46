/** `node ours.ts FOLDER RESAMPLES`: the verdict on two sides and their slices, as JSON. Started by the benchmark. */
import { compareModels, compareSlices } from "../../../src/evaluate/index.ts";
import { METRICS, readSide } from "./data.ts";

const [folder = "", resamples = ""] = process.argv.slice(2);
const options = {
  base: readSide(folder, "base"),
  head: readSide(folder, "head"),
  metrics: METRICS,
  resamples: Number(resamples),
};
const { metrics } = compareModels(options);
const { slices } = compareSlices(options);
console.log(JSON.stringify({ metrics, slices }));
