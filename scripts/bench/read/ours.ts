/** `node ours.ts FOLDER FORMAT`: reads what make.ts made from the store, as a report does. Started by the benchmark. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { contextIn } from "../../../test/git/repository.ts";
import { value } from "../../../test/helpers/value.ts";
import type { Digest } from "../../../src/core/index.ts";
import { readRecorded } from "../../../src/metrics/index.ts";
import type { Evaluation } from "../../../src/metrics/index.ts";
import { folderStore } from "../../../src/store/index.ts";

const [folder = "", format = ""] = process.argv.slice(2);
const evaluation: Evaluation = {
  predictions: `p.${format}` as Evaluation["predictions"],
  task: "binary",
  columns: { id: "id", label: "label", prediction: "prediction", score: "score" },
  metrics: ["accuracy"],
  slices: ["region", "band"],
};
const store = folderStore(contextIn(folder), join(folder, "store"));
const digest = readFileSync(join(folder, "digest"), "utf8") as Digest;
const { ids } = value(await readRecorded([store], { digest, commit: null }, evaluation));
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
const used = {
  rows: ids.length,
  last: ids.at(ids.length - 1),
  processor: (userCPUTime + systemCPUTime) / 1e6,
  peak: maxRSS * 1024,
};
writeFileSync(join(folder, "read.json"), JSON.stringify(used));
