/** What can be timed of one model. */
export interface Timed {
  /** Answers one request of one row. */
  readonly one: () => Promise<unknown>;
  /** Answers `rows` rows in one request. */
  readonly many: () => Promise<unknown>;
  readonly rows: number;
}

/** Times of one model, in blocks: what ran right after each other is alike, so a block counts as one observation. */
export interface Samples {
  /** Per block, the ms that each request of one row took. */
  readonly latencies: readonly Float64Array[];
  /** Per block, rows of the large requests and the ms that they took together. */
  readonly batches: readonly { readonly rows: number; readonly ms: number }[];
}

/** Pairs of blocks; below the least, an interval would mean nothing. */
const BLOCKS = 40;
const LEAST_BLOCKS = 10;
/** Requests of one row in a block. */
const MOST_RUNS = 50;
const WARM_UP_RUNS = 20;
/** How far past its budget a slow model is measured, for the least number of blocks. */
const PATIENCE = 4;

/**
 * Times models in turn, in blocks (A B, then B A), so that what the machine does meanwhile meets both alike. Each is
 * warmed up first: that also tells how many requests fit a block of the budget.
 * @param clock ms, monotonic
 * @param budgetMs of all together; a model so slow that even the least blocks take longer stops it
 * @returns samples in the order of `models`; undefined when the models are too slow to be measured
 */
export async function interleave(
  models: readonly Timed[],
  { clock, budgetMs }: { readonly clock: () => number; readonly budgetMs: number },
): Promise<Samples[] | undefined> {
  const begun = clock();
  const time = async (run: () => Promise<unknown>): Promise<number> => {
    const from = clock();
    await run();
    return clock() - from;
  };
  const share = budgetMs / (BLOCKS * models.length * 2);
  const plans: { readonly ones: number; readonly manies: number }[] = [];
  for (const model of models) {
    const one = await warmUp(model.one, time, budgetMs / 20);
    const many = await warmUp(model.many, time, budgetMs / 20);
    plans.push({ ones: fit(share, one), manies: fit(share, many) });
  }
  // The same number of requests on each side: a percentile of more samples is not that of fewer.
  const ones = Math.min(...plans.map((plan) => plan.ones));
  const manies = Math.min(...plans.map((plan) => plan.manies));
  const samples = models.map(() => ({
    latencies: [] as Float64Array[],
    batches: [] as { readonly rows: number; readonly ms: number }[],
  }));
  for (let block = 0; block < BLOCKS; block++) {
    const spent = clock() - begun;
    if (spent > budgetMs * (block < LEAST_BLOCKS ? PATIENCE : 1) && block > 0) {
      if (block < LEAST_BLOCKS) return undefined;
      break;
    }
    const order = [...models.keys()];
    if (block % 2 === 1) order.reverse();
    for (const index of order) {
      const model = models[index] as Timed;
      const latencies = new Float64Array(ones);
      for (let run = 0; run < ones; run++) latencies[run] = await time(model.one);
      const ms = await time(async () => {
        for (let run = 0; run < manies; run++) await model.many();
      });
      samples[index]?.latencies.push(latencies);
      samples[index]?.batches.push({ rows: manies * model.rows, ms });
    }
  }
  return samples;
}

/** Ms of one run, once it has become steady: the mean of the second half. */
async function warmUp(
  run: () => Promise<unknown>,
  time: (run: () => Promise<unknown>) => Promise<number>,
  mostMs: number,
): Promise<number> {
  const times: number[] = [];
  for (let spent = 0; times.length < WARM_UP_RUNS && (spent < mostMs || times.length < 2);) {
    const ms = await time(run);
    spent += ms;
    times.push(ms);
  }
  const steady = times.slice(Math.floor(times.length / 2));
  return steady.reduce((sum, ms) => sum + ms, 0) / steady.length;
}

function fit(shareMs: number, runMs: number): number {
  return Math.max(1, Math.min(MOST_RUNS, Math.floor(shareMs / runMs) || 1));
}
