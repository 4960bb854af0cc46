import type { GitHub } from "./client.ts";

/** Where in time a run stands: a later run's text is never replaced by that of an earlier one. */
export interface Order {
  readonly runId: number;
  readonly attempt: number;
}

/**
 * The hidden first line by which a comment, issue or pull request is found again. The author is checked beside it,
 * because anyone can write such a line.
 */
export function markerLine(marker: string, order?: Order): string {
  return `<!-- ${prefix(marker)}${order === undefined ? "" : ` run=${order.runId} attempt=${order.attempt}`} -->`;
}

function prefix(marker: string): string {
  if (!/^[A-Za-z0-9._:/-]+$/.test(marker)) throw new RangeError(`"${marker}" cannot be a marker`);
  return `lockstep:${marker}`;
}

/** True when the text starts with the line of this marker. */
export function isMarked(body: string | null | undefined, marker: string): boolean {
  return body?.startsWith(`<!-- ${prefix(marker)} `) ?? false;
}

/** The run that wrote a text; undefined when its first line does not say. */
export function orderOf(body: string | null | undefined): Order | undefined {
  const found = /^<!-- \S+ run=(\d+) attempt=(\d+) -->/.exec(body ?? "");
  return found === null ? undefined : { runId: Number(found[1]), attempt: Number(found[2]) };
}

/** True when `a` is of an earlier run (or attempt) than `b`. Run ids grow with time. */
export function isOlder(a: Order, b: Order): boolean {
  return a.runId < b.runId || (a.runId === b.runId && a.attempt < b.attempt);
}

export function isOurs(gh: GitHub, author: { login: string } | null | undefined): boolean {
  return author?.login.toLowerCase() === gh.login.toLowerCase();
}
