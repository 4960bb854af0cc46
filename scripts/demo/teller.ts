/** One step of the story, as the facts file has it. */
export interface StepFact {
  readonly name: string;
  readonly ok: boolean;
  readonly ms: number;
}

/** Numbers, digests and addresses that the story came to; what `--json` writes. */
export interface Facts {
  pullRequest: number;
  comment: { id: number; url: string };
  verdict: string;
  reviewedDigest: string;
  promotedDigest: string;
  version: number;
  deployment: { url: string; answer: string };
  driftIssue: { before: number; after: number; closed: boolean };
  retrainingPullRequest: { before: number; after: number };
  retrainedVersion: number;
  requests: { total: number; onePullRequest: number };
}

/** Tells the story on a terminal and keeps the time of each step. */
export class Teller {
  readonly steps: StepFact[] = [];
  readonly #print: (line: string) => void;
  readonly #colour: boolean;
  #number = 0;

  constructor(print: (line: string) => void, colour: boolean) {
    this.#print = print;
    this.#colour = colour;
  }

  get ms(): number {
    return this.steps.reduce((sum, step) => sum + step.ms, 0);
  }

  /** Runs one step: a heading, what `act` says while it goes on, and the time it took. */
  async step<T>(name: string, act: (say: (line: string) => void) => Promise<T>): Promise<T> {
    this.#number++;
    this.#print(`\n${this.#paint("1", `${this.#number}. ${name}`)}`);
    const started = performance.now();
    let ok = false;
    try {
      const value = await act((line) => this.#print(`   ${line.replaceAll("\n", "\n   ")}`));
      ok = true;
      return value;
    } finally {
      const ms = Math.round(performance.now() - started);
      this.steps.push({ name, ok, ms });
      this.#print(this.#paint(ok ? "2" : "31", `   ${ok ? "done" : "FAILED"} in ${seconds(ms)}`));
    }
  }

  summary(page: string, facts: Facts): void {
    const rows = [
      ["experiment", `PR #${facts.pullRequest}, verdict: ${facts.verdict}`],
      [
        "promotion",
        `version ${facts.version}, ${facts.promotedDigest.slice(0, 19)}…, the bytes that were reviewed: ${facts.reviewedDigest === facts.promotedDigest ? "yes" : "NO"}`,
      ],
      ["deployment", `${facts.deployment.url} answered ${facts.deployment.answer}`],
      [
        "drift",
        `issue #${facts.driftIssue.before}, the same one after a second check: ${facts.driftIssue.before === facts.driftIssue.after ? "yes" : "NO"}, closed on recovery: ${facts.driftIssue.closed ? "yes" : "NO"}`,
      ],
      ["retraining", `PR #${facts.retrainingPullRequest.before}, promoted as version ${facts.retrainedVersion}`],
      ["API requests", `${facts.requests.onePullRequest} for one pull request, ${facts.requests.total} in all`],
      ["time", seconds(this.ms)],
    ] as const;
    this.#print(`\n${this.#paint("1", "Summary")}`);
    for (const [name, text] of rows) this.#print(`   ${name.padEnd(13)}${text}`);
    this.#print(`\n${this.#paint("1", `Look at it: ${page}`)}`);
  }

  #paint(code: string, text: string): string {
    return this.#colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
