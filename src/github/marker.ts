import type { GitHub } from "./client.ts";

/** Where in time a run stands: a later run's text is never replaced by that of an earlier one. */
export interface Order {
  readonly runId: number;
  readonly attempt: number;
  /** What was written while the attempt went on: older than what it came to. */
  readonly going?: boolean;
}

/**
 * The hidden first line by which a comment, issue or pull request is found again. The author is checked beside it,
 * because anyone can write such a line.
 */
export function markerLine(marker: string, order?: Order): string {
  return `<!-- ${prefix(marker)}${order === undefined ? "" : told(order)} -->`;
}

const told = ({ runId, attempt, going }: Order): string =>
  ` run=${runId} attempt=${attempt}${going === true ? " going" : ""}`;

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
  const found = /^<!-- \S+ run=(\d+) attempt=(\d+)( going)? -->/.exec(body ?? "");
  if (found === null) return undefined;
  return { runId: Number(found[1]), attempt: Number(found[2]), going: found[3] !== undefined };
}

/** True when `a` is of an earlier run (or attempt, or part of one) than `b`. Run ids grow with time. */
export function isOlder(a: Order, b: Order): boolean {
  if (a.runId !== b.runId) return a.runId < b.runId;
  if (a.attempt !== b.attempt) return a.attempt < b.attempt;
  return a.going === true && b.going !== true;
}

export function isOurs(gh: GitHub, author: { login: string } | null | undefined): boolean {
  return author?.login.toLowerCase() === gh.login.toLowerCase();
}
