/** Hands out a limited number of places, in the order of asking. */
export class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for a place; it is given back when the work ends, however it ends. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
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
