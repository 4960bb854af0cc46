import { describe, expect, it } from "vitest";
import { factAtMost, judge, memoryUnder, timesFasterThan, timesLimit } from "../../scripts/bench/aim.ts";
import { compete } from "../../scripts/bench/compete.ts";
import type { Entrant, Outcome, Rules } from "../../scripts/bench/compete.ts";
import { CommandFailed } from "../../scripts/bench/measure.ts";
import { entrantRows, intoDocument, summaryRows } from "../../scripts/bench/report.ts";
import type { BenchReport } from "../../scripts/bench/report.ts";
import { median } from "../../scripts/bench/statistics.ts";

function outcome(name: string, role: Outcome["role"], seconds: readonly number[], timedOut = false): Outcome {
  const facts = { requests: seconds.length, sent: 40e6 };
  return { name, role, samples: seconds.map((each) => ({ seconds: each, peak: each * 1e8, timedOut, facts })) };
}

describe("median", () => {
  it("is the middle, whatever the order", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});

describe("judge", () => {
  const ours = outcome("ours", "ours", [2, 1, 3]);
  const faster = timesFasterThan(5, /^dvc/, "dvc");

  it("holds us against the fastest of a peer's ways, and against no other peer", () => {
    const outcomes = [ours, outcome("dvc", "peer", [20]), outcome("dvc -j 8", "peer", [8]), outcome("cp", "peer", [1])];
    expect(judge(faster, outcomes)).toMatchObject({ verdict: "missed", reached: { value: 2 }, bound: { value: 1.6 } });
    expect(judge(faster, [ours, outcome("dvc", "peer", [10])]).verdict).toBe("met");
  });

  it("leaves open what an ended run does not decide", () => {
    expect(judge(faster, [ours, outcome("dvc", "peer", [9], true)]).verdict).toBe("open");
    expect(judge(faster, [ours, outcome("dvc", "peer", [900], true)]).verdict).toBe("met");
    expect(judge(faster, [outcome("ours", "ours", [1], true), outcome("dvc", "peer", [900])]).verdict).toBe("open");
    expect(judge(faster, [ours]).verdict).toBe("open");
    expect(judge(faster, [outcome("ours", "ours", []), outcome("dvc", "peer", [10])]).verdict).toBe("open");
  });

  it("adds the start-up to a multiple of the limit", () => {
    const limits = [outcome("find", "limit", [0.8]), outcome("start", "limit", [0.3])];
    const aim = timesLimit(2, "find", "twice find", "start");
    const judged = judge(aim, [ours, ...limits]);
    expect(judged.bound?.value).toBeCloseTo(1.9);
    expect(judged.verdict).toBe("missed");
    expect(judge(aim, [ours, limits[0]!]).verdict).toBe("open");
  });

  it("takes the worst run for memory and counts", () => {
    expect(judge(memoryUnder(299), [ours])).toMatchObject({ verdict: "missed", reached: { value: 300 } });
    expect(judge(memoryUnder(300), [ours]).verdict).toBe("met");
    expect(judge(factAtMost("sent", 32, "MB", "sent"), [ours])).toMatchObject({
      verdict: "missed",
      reached: { value: 40 },
    });
    expect(judge(factAtMost("objects", 32, "objects", "objects"), [ours]).verdict).toBe("open");
  });
});

describe("compete", () => {
  function entrant(name: string, log: string[], more: Partial<Entrant> = {}): Entrant {
    const commands = () => [{ program: "sleep", args: ["0.02"], cwd: "/", env: process.env }];
    return { name, role: "peer", prepare: (run) => void log.push(`${name}${run}`), commands, ...more };
  }
  function rules(more: Partial<Rules> = {}): Rules {
    const signal = new AbortController().signal;
    return { runs: 3, limit: 20, budget: 60, settle() {}, say() {}, signal, ...more };
  }

  it("lets all take turns", async () => {
    const log: string[] = [];
    const outcomes = await compete({ entrants: [entrant("a", log), entrant("b", log)] }, rules());
    expect(log).toEqual(["a0", "b0", "a1", "b1", "a2", "b2"]);
    expect(outcomes.map(({ samples }) => samples.length)).toEqual([3, 3]);
  });

  it("or one after the other, each cleared away before the next begins", async () => {
    const log: string[] = [];
    const finishing = (name: string) => entrant(name, log, { finish: () => void log.push(`${name} gone`) });
    await compete({ entrants: [finishing("a"), finishing("b")], inTurn: true }, rules({ runs: 2 }));
    expect(log).toEqual(["a0", "a1", "a gone", "b0", "b1", "b gone"]);
  });

  it("goes on without the one that fails", async () => {
    const failing = {
      check: () => {
        throw new CommandFailed("holds other bytes");
      },
    };
    const [a, b] = await compete({ entrants: [entrant("a", [], failing), entrant("b", [])] }, rules());
    expect(a).toMatchObject({ samples: [], note: "failed: holds other bytes" });
    expect(b?.samples).toHaveLength(3);
    const bug = {
      setup: () => {
        throw new TypeError("a bug");
      },
    };
    await expect(compete({ entrants: [entrant("a", [], bug)] }, rules())).rejects.toThrow("a bug");
  });

  it("reckons the whole of what a share was timed of, and says what was timed", async () => {
    const whole = (seconds: number): number => 1 + 100 * seconds;
    const [scaled] = await compete({ entrants: [entrant("peer", [], { whole })] }, rules({ runs: 2 }));
    for (const { seconds, timed = 0 } of scaled!.samples) {
      expect(timed).toBeGreaterThan(0);
      expect(seconds).toBe(1 + 100 * timed);
    }
    const [, row] = entrantRows({ name: "c", title: "c", outcomes: [scaled!], aims: [] });
    expect(row?.at(-1)).toMatch(/^reckoned from runs of \d\S* s$/);
    // What bounds a run's time is what it took.
    const [all] = await compete({ entrants: [entrant("peer", [], { whole: () => 1e6 })] }, rules());
    expect(all?.samples).toHaveLength(3);
  });

  it("says why there are fewer runs", async () => {
    const commands = () => [{ program: "sleep", args: ["5"], cwd: "/", env: process.env }];
    const only = { runs: 1, because: "it is large" };
    const entrants = [entrant("slow", [], { commands }), entrant("once", [], { only }), entrant("ours", [])];
    const outcomes = await compete({ entrants }, rules({ limit: 0.3 }));
    expect(outcomes[0]).toMatchObject({ samples: [{ timedOut: true }], note: "ended after the limit of 0.3 s" });
    expect(outcomes[1]).toMatchObject({ note: "1 run: it is large" });
    expect(outcomes[1]?.samples).toHaveLength(1);
    const [short] = await compete({ entrants: [entrant("a", [])] }, rules({ budget: 0.001 }));
    expect(short).toMatchObject({ note: "1 run: one more would take it beyond 0.001 s" });
  });
});

describe("the report", () => {
  const outcomes = [
    outcome("lockstep", "ours", [2]),
    outcome("dvc a|b", "peer", [9], true),
    outcome("cp", "peer", [20]),
    outcome("find", "limit", [1]),
  ];
  const aims = [judge(timesFasterThan(2, /^dvc/, "dvc"), outcomes), judge(memoryUnder(100), outcomes)];
  const machine = { cores: 2, cpu: "X", flags: ["aes"], memory: 8e9, kernel: "6", fileSystem: "ext4", load: 0 };
  const cases = [{ name: "add", title: "add all", outcomes, aims }];
  const report: BenchReport = {
    benchVersion: 1,
    suite: "data",
    scale: 0.5,
    runs: 1,
    machine,
    versions: { dvc: null },
    cases,
  };

  it("puts ours, the best peer, the limit and the aims side by side", () => {
    expect(summaryRows(cases).slice(1)).toEqual([
      [
        "add",
        "2 s",
        "> 9 s dvc a|b",
        "> 4.5",
        "1 s find",
        "2",
        "2 times faster than dvc (<= > 4.5 s)",
        "2 s",
        "met: 0.444 of it",
      ],
      ["", "", "", "", "", "", "peak memory under 100 MB (<= 100 MB)", "200 MB", "missed: 2 times it"],
    ]);
  });

  it("goes between the marks of a document, and only there", () => {
    const document = "# Title\n<!-- figures of data -->\nold $1\n<!-- /figures of data -->\nend\n";
    const made = intoDocument(document, report);
    expect(made).toMatch(/^# Title\n<!-- figures of data -->\n\n2 cores [^]*\n<!-- \/figures of data -->\nend\n$/);
    expect(made).not.toContain("old");
    expect(made).toContain("dvc a\\|b");
    expect(made).toContain("no SHA instructions");
    expect(made).toContain("0.5 of its size");
    expect(intoDocument(made, report)).toBe(made);
    expect(() => intoDocument("# Title\n", report)).toThrow("no place for the figures");
  });
});
