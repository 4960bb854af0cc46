/** How much of each resource: what there is, or what one wants. */
export type Amounts = Readonly<Record<string, number>>;

/**
 * Hands out limited resources. Who asks first goes first, unless what he wants is not free while what a later one wants
 * is. A resource without a stated amount is there once.
 */
export class Resources {
  readonly #free: Map<string, number>;
  #waiting: { readonly wants: Amounts; readonly go: () => void }[] = [];

  constructor(amounts: Amounts) {
    this.#free = new Map(Object.entries(amounts));
  }

  /** Waits until all that is wanted is free; it is given back when the work ends, however it ends. */
  async use<T>(wants: Amounts, work: () => Promise<T>): Promise<T> {
    if (!this.#take(wants)) await new Promise<void>((go) => this.#waiting.push({ wants, go }));
    try {
      return await work();
    } finally {
      for (const [name, amount] of Object.entries(wants)) this.#free.set(name, this.#left(name) + amount);
      this.#waiting = this.#waiting.filter(({ wants: next, go }) => {
        const taken = this.#take(next);
        if (taken) go();
        return !taken;
      });
    }
  }

  #left(name: string): number {
    return this.#free.get(name) ?? 1;
  }

  #take(wants: Amounts): boolean {
    const all = Object.entries(wants);
    if (!all.every(([name, amount]) => amount <= this.#left(name))) return false;
    for (const [name, amount] of all) this.#free.set(name, this.#left(name) - amount);
    return true;
  }
}

interface Node {
  readonly name: string;
  readonly needs: readonly string[];
}

/** Visits every node once all that it needs have been visited, as many at once as the graph allows. */
export async function inGraphOrder<N extends Node>(
  nodes: readonly N[],
  visit: (node: N) => Promise<void>,
): Promise<void> {
  const visits = new Map<string, Promise<void>>();
  for (const node of nodes) {
    const before = node.needs.flatMap((name) => visits.get(name) ?? []);
    visits.set(
      node.name,
      Promise.all(before).then(() => visit(node)),
    );
  }
  await Promise.all(visits.values());
}
