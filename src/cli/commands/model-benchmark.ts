import { fail, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import type { Answer } from "../command.ts";
import { table } from "../text.ts";

export interface BenchmarkCommand {
  readonly against: string;
  readonly seconds: string;
}

const QUANTITIES = ["p50", "p95", "p99", "throughput"] as const;

/** `lockstep model benchmark`: latency and throughput on this machine, beside another version. */
export async function benchmark(
  context: Context,
  model: string,
  { against, seconds }: BenchmarkCommand,
): Promise<Result<Answer>> {
  const budgetMs = Number(seconds) * 1000;
  if (!(budgetMs >= 100 && budgetMs <= 600_000))
    return fail({ code: "usage", message: "--seconds is a number from 0.1 to 600" });
  const { benchmarkModel } = await import("../../report/index.ts");
  const beside = against === "none" ? null : against;
  const measured = await benchmarkModel(context, { model, against: beside, budgetMs });
  if (!measured.ok) return measured;
  const { quantities, against: other, ratios, runs } = measured.value;
  const head = ["", model, ...(other === null ? [] : [`@${against}`, "ratio (95 %)"])];
  const rows = QUANTITIES.map((name) => {
    const show = (value: number): string => (name === "throughput" ? `${digits(value)} rows/s` : `${digits(value)} ms`);
    const ratio = ratios?.[name];
    return [
      name === "throughput" ? name : `${name} latency`,
      show(quantities[name].value),
      ...(other === null ? [] : [show(other.quantities[name].value)]),
      ...(ratio === undefined ? [] : [`${digits(ratio.value)} (${digits(ratio.low)} to ${digits(ratio.high)})`]),
    ];
  });
  return ok({ json: measured.value, text: `${table([head, ...rows])}\n${runs} requests of one row` });
}

function digits(value: number): string {
  return String(Number(value.toPrecision(3)));
}
