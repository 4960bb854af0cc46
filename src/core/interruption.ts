const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What ends a process from outside, as a wish first. */
export interface Interruption {
  /** Aborted when the process is first asked to stop. */
  readonly signal: AbortSignal;
  /** Gives the signals back to the system. */
  readonly close: () => void;
}

/**
 * Listens for Ctrl-C, termination and a terminal that goes away. The first is a wish; the same one once more means now:
 * `end` is called. Another one does not: a runner that cancels a job sends SIGINT and, some seconds later, SIGTERM, and
 * what is being written down in between is worth finishing.
 */
export function listenForInterruption(end: () => void): Interruption {
  const asked = new AbortController();
  const seen = new Set<string>();
  const stop = (name: string): void => {
    if (seen.has(name)) end();
    seen.add(name);
    asked.abort();
  };
  for (const name of SIGNALS) process.on(name, stop);
  return {
    signal: asked.signal,
    close: () => {
      for (const name of SIGNALS) process.off(name, stop);
    },
  };
}
