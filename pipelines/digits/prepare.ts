import { readParams } from "../lib/params.ts";
import { readFolder, writeExamples } from "./examples.ts";
import { SPLITS, splitOf, splitParams } from "./split.ts";

const params = await readParams("prepare", splitParams);
const examples = await readFolder("data/digits");
for (const split of SPLITS) {
  const part = examples.filter((example) => splitOf(example.id, params) === split);
  if (part.length === 0) throw new Error(`no example falls to ${split}`);
  await writeExamples(`build/digits/split/${split}.csv`, part);
  console.log(`${split}: ${part.length} examples`);
}
