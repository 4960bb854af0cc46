/** What an offer costs and brings; money in euros. */
export interface Offer {
  readonly cost: number;
  /** Share off the monthly fee. */
  readonly discount: number;
  /** Share of those about to leave who stay for it. */
  readonly accepted: number;
  /** Months that who stays is counted for. */
  readonly months: number;
}

/** A customer as the model sees them, and what they did. */
export interface Judged {
  readonly fee: number;
  readonly probability: number;
  readonly churned: boolean;
}

export interface Value {
  readonly offers: number;
  /** Customers expected to stay who would have left. */
  readonly saved: number;
  /** Their discounted subscriptions less the cost of all offers. */
  readonly value: number;
  readonly value_per_customer: number;
  /** Of the value that somebody would get who knew who leaves. */
  readonly value_share: number;
}

/** Offers go to whom they pay for, going by the model; who would have stayed anyway costs the offer and brings nothing. */
export function valueOf(customers: readonly Judged[], offer: Offer): Value {
  const worth = (fee: number): number => offer.accepted * fee * (1 - offer.discount) * offer.months;
  const offered = customers.filter(({ fee, probability }) => probability * worth(fee) > offer.cost);
  const leaving = offered.filter(({ churned }) => churned);
  const value = sum(leaving.map(({ fee }) => worth(fee))) - offered.length * offer.cost;
  const best = sum(customers.filter(({ churned }) => churned).map(({ fee }) => Math.max(0, worth(fee) - offer.cost)));
  return {
    offers: offered.length,
    saved: rounded(leaving.length * offer.accepted),
    value: rounded(value),
    value_per_customer: rounded(value / Math.max(1, customers.length)),
    value_share: rounded(best === 0 ? 0 : value / best),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function rounded(value: number): number {
  return Math.round(1000 * value) / 1000;
}
