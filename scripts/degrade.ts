/**
 * Writes labelled examples as a worn scanner would send them: traffic to try drift with, and the feedback that a
 * retraining learns from.
 *
 *     node scripts/degrade.ts --count 300 --seed 5 --out data/digits/feedback/2026-01-01.csv
 */
import { parseArgs } from "node:util";
import { readExamples, writeExamples } from "../pipelines/digits/examples.ts";
import { scanned } from "../pipelines/digits/scanner.ts";
import { splitOf, splitParams } from "../pipelines/digits/split.ts";
import { readParams } from "../pipelines/lib/params.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    severity: { type: "string", default: "1" },
    split: { type: "string", default: "train" },
    out: { type: "string" },
  },
});
const { out } = values;
if (out === undefined) throw new Error("--out FILE says where to write");

const params = await readParams("prepare", splitParams);
const examples = await readExamples("data/digits/digits.csv");
const chosen = examples.filter((example) => splitOf(example.id, params) === values.split);
const options = { count: Number(values.count), seed: Number(values.seed), severity: Number(values.severity) };
await writeExamples(out, scanned(chosen, options));
console.log(`${out}: ${options.count} images, drawn from ${chosen.length} of the ${values.split} split`);
