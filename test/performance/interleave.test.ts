import { expect, test } from "vitest";
import { interleave } from "../../src/performance/interleave.ts";
import type { Samples, Timed } from "../../src/performance/interleave.ts";

/** Models that take a given time on a clock of their own; `ran` says in which order they ran. */
function world(...costs: readonly number[]): { models: Timed[]; clock: () => number; ran: string[] } {
  let now = 0;
  const ran: string[] = [];
  const models = costs.map((ms, index) => ({
    one: async (): Promise<void> => {
      now += ms;
      ran.push(`${index}`);
    },
    many: async (): Promise<void> => {
      now += ms * 4;
      ran.push(`${index}x32`);
    },
    rows: 32,
  }));
  return { models, clock: () => now, ran };
}

const measured = async (costs: readonly number[], budgetMs: number): Promise<{ samples: Samples[]; ran: string[] }> => {
  const { models, clock, ran } = world(...costs);
  const samples = await interleave(models, { clock, budgetMs });
  if (samples === undefined) throw new Error("too slow");
  return { samples, ran };
};

test("both sides run the same number of requests, in blocks that swap places", async () => {
  const { samples, ran } = await measured([1, 2], 10_000);
  const [own, other] = samples;
  expect(own?.latencies.map((block) => block.length)).toEqual(other?.latencies.map((block) => block.length));
  expect(new Set(own?.latencies.flatMap((block) => [...block]))).toEqual(new Set([1]));
  expect(new Set(other?.latencies.flatMap((block) => [...block]))).toEqual(new Set([2]));
  const { length } = own?.batches ?? [];
  const [batch] = other?.batches ?? [];
  expect(batch).toEqual({ rows: (batch?.ms ?? 0) * 4, ms: batch?.ms });
  expect(length).toBe(40);
  // The warm-up, 0 1; then 0 1, 1 0, 0 1 ...: where a block ends and the next begins the model stays.
  const turns = ran.map(([model]) => model).filter((model, at, all) => model !== all[at - 1]);
  expect(turns).toHaveLength(2 + 40 + 1);
});

test("the time stays near the budget, whatever a request takes", async () => {
  for (const ms of [0.01, 1, 40]) {
    const { models, clock } = world(ms, ms);
    await interleave(models, { clock, budgetMs: 10_000 });
    expect(clock()).toBeLessThan(25_000);
  }
});

test("a slow model is measured in fewer blocks, and one that is too slow is not measured", async () => {
  const { samples } = await measured([150], 10_000);
  const blocks = samples[0]?.latencies.length ?? 0;
  expect(blocks).toBeGreaterThanOrEqual(10);
  expect(blocks).toBeLessThan(40);
  const { models, clock } = world(5_000, 5_000);
  expect(await interleave(models, { clock, budgetMs: 10_000 })).toBeUndefined();
});
