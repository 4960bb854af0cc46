/**
 * The program that times networks: a job on standard input, the times as JSON on the last line of standard output. A
 * process of its own, because a network is code for a native library: it may crash, hang, or worse.
 */
import { text } from "node:stream/consumers";
import { describe } from "../core/index.ts";
import { interleave } from "./interleave.ts";
import type { Timed } from "./interleave.ts";
import { jobSchema } from "./job.ts";
import type { Answer, Job } from "./job.ts";
import { loadTimed } from "./network.ts";
import { loadRuntime } from "../onnx/index.ts";

const job = jobSchema.parse(JSON.parse(await text(process.stdin)));
const answer = await measure(job);
process.stdout.write(`\n${JSON.stringify(answer)}\n`);

async function measure({ files, roots, budgetMs }: Job): Promise<Answer> {
  const ort = await loadRuntime(roots);
  if (!ort.ok) {
    const [failure] = ort.failures;
    return { problem: describe(failure), ...(failure.hint === undefined ? {} : { hint: failure.hint }) };
  }
  try {
    const models: Timed[] = [];
    for (const file of files) models.push(await loadTimed(ort.value, file));
    const samples = await interleave(models, { clock: () => performance.now(), budgetMs });
    if (samples === undefined) return { problem: `it is too slow to be measured in ${budgetMs / 1000} s` };
    return {
      samples: samples.map(({ latencies, batches }) => ({
        latencies: latencies.map((times) => Array.from(times)),
        batches: [...batches],
      })),
    };
  } catch (error) {
    return { problem: `ONNX Runtime does not run it: ${error instanceof Error ? error.message : String(error)}` };
  }
}
