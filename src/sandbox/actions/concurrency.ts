/** How a run or job asks for its place in a group. */
export interface GroupRequest {
  /** Repository and group name; names differ only in case are one. */
  readonly group: string;
  readonly cancelInProgress: boolean;
  /** `max`: up to 100 wait in line; `single`: a newer one that waits replaces the older. */
  readonly queue: "single" | "max";
  /** Called when a newer one takes this one's place. */
  readonly cancel: (reason: string) => void;
}

interface Waiting {
  readonly request: GroupRequest;
  readonly answer: (mayRun: boolean) => void;
}

interface Group {
  holder: GroupRequest | undefined;
  waiting: Waiting[];
}

/** https://docs.github.com/actions/reference/limits */
const QUEUE_LIMIT = 100;

/** `concurrency:` of workflows and jobs: one at a time in each group. */
export class ConcurrencyGroups {
  readonly #groups = new Map<string, Group>();

  /** Resolves true when the group is free for it, false when a newer one took its place. */
  async enter(request: GroupRequest): Promise<boolean> {
    const key = request.group.toLowerCase();
    const group = this.#groups.get(key) ?? { holder: undefined, waiting: [] };
    this.#groups.set(key, group);
    if (group.holder === undefined) {
      group.holder = request;
      return true;
    }
    if (request.cancelInProgress || request.queue === "single") {
      for (const { request: older, answer } of group.waiting.splice(0)) {
        older.cancel("Canceling since a higher priority waiting request for this group exists");
        answer(false);
      }
    }
    if (group.waiting.length >= QUEUE_LIMIT) return false;
    return new Promise((answer) => {
      group.waiting.push({ request, answer });
      if (request.cancelInProgress) {
        group.holder?.cancel("Canceling since a higher priority waiting request for this group exists");
      }
    });
  }

  /** Gives the place back, or stops waiting for it. */
  leave(request: GroupRequest): void {
    const key = request.group.toLowerCase();
    const group = this.#groups.get(key);
    if (group === undefined) return;
    if (group.holder !== request) {
      for (const { answer } of group.waiting.filter((item) => item.request === request)) answer(false);
      group.waiting = group.waiting.filter((item) => item.request !== request);
      return;
    }
    const next = group.waiting.shift();
    group.holder = next?.request;
    if (next === undefined) this.#groups.delete(key);
    else next.answer(true);
  }
}
