import { random } from "../lib/random.ts";
import type { Random } from "../lib/random.ts";
import { PLANS, REGIONS } from "./customers.ts";
import type { Customer } from "./customers.ts";

export interface GenerateParams {
  readonly seed: number;
  readonly customers: number;
  readonly months: number;
  readonly shift: number;
}

type Person = Pick<Customer, "customer" | "region" | "plan" | "fee"> & {
  since: number;
  usage: number;
  patience: number;
};

const FEES = { basic: 15, plus: 28, family: 45 };

/** Month after month of customers who were never there. The same parameters give the same rows on every machine. */
export function generate(_: object, { generate: params }: { generate: GenerateParams }): { customers: Customer[] } {
  const source = random(params.seed);
  let made = 0;
  const person = (month: number): Person => newcomer(`c${String(++made).padStart(5, "0")}`, month, source);
  const people = Array.from({ length: params.customers }, () => person(1 - Math.floor(48 * source.next() ** 2)));
  const customers: Customer[] = [];
  for (let month = 1; month <= params.months; month++) {
    for (const [at, one] of people.entries()) {
      const row = monthOf(one, month, month >= params.shift, source);
      customers.push(row);
      if (row.churned === 1) people[at] = person(month + 1);
    }
  }
  return { customers };
}

function newcomer(customer: string, since: number, source: Random): Person {
  const plan = PLANS[Math.floor(3 * source.next() ** 1.5)]!;
  const region = REGIONS[Math.floor(3 * source.next())]!;
  const fee = cents(FEES[plan] * (1 + 0.15 * source.signed()));
  return { customer, since, plan, region, fee, usage: 4 + 26 * source.next(), patience: source.normal() };
}

/** One month of one person. What moves them is partly what the table shows, partly what it does not. */
function monthOf(one: Person, month: number, shifted: boolean, source: Random): Customer {
  const { customer, region, plan, fee, patience } = one;
  const tenure = Math.max(0, month - one.since);
  const usage = Math.max(0.1, one.usage * (1 + 0.25 * source.normal()));
  const change = usage / one.usage - 1;
  one.usage = 0.7 * one.usage + 0.3 * usage;
  const trouble = Math.max(0, source.normal() + 0.3 * (patience < 0 ? 1 : 0));
  const calls = Math.floor(trouble * (shifted ? 1 : 2.2));
  const late = Math.floor(Math.max(0, 1.3 * source.normal() - 0.4));
  const price = 4 * (fee / FEES[plan] - 1) + (plan === "family" ? 0.2 : -0.2);
  const wish =
    -2.4 +
    (shifted ? 0.5 : 1.1) * trouble +
    0.6 * late -
    1.8 * change -
    0.04 * Math.min(tenure, 36) -
    0.4 * patience -
    0.03 * (usage - 15);
  const churned = source.next() < 1 / (1 + Math.exp(-(wish + price * (shifted ? 2.5 : 0.5)))) ? 1 : 0;
  return {
    customer,
    month,
    region,
    plan,
    tenure,
    fee,
    usage: cents(usage),
    usage_change: cents(change),
    calls,
    late_payments: late,
    churned,
  };
}

function cents(value: number): number {
  return Math.round(100 * value) / 100;
}
