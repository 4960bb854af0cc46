import { expect, test } from "vitest";
import {
  buildReport,
  renderHtml,
  renderMarkdown,
  renderText,
  reportSchema,
  sectionsOf,
} from "../../src/report/index.ts";

import { BINARY } from "../metrics/helpers.ts";
import { fullReport, input, report, runRecord, side } from "./fixture.ts";

const lines = (text: string): string[] => text.split("\n");

test("the first line is the verdict, with the metric that carries it and the gates", () => {
  const [kind, line] = lines(renderMarkdown(report()));
  expect(kind).toBe("> [!TIP]");
  expect(line).toMatch(
    /^> \*\*Better\.\*\* `accuracy` 0\.9000 → 0\.9600 \(\+0\.0600, 95 % interval \+0\.0\d+ to \+0\.0\d+, p < 0\.001\) on the same 300 examples\. All 3 gates pass\.$/,
  );
});

test("the report is a function of its input, and JSON that fits its schema", () => {
  const made = report();
  expect(report()).toEqual(made);
  expect(reportSchema.parse(JSON.parse(JSON.stringify(made)))).toEqual(made);
});

test("production has a column of its own, and a failed gate comes first", () => {
  const model = input().models[0];
  if (model === undefined) throw new Error("no model");
  const text = renderMarkdown(
    buildReport(input({ models: [{ ...model, gates: [...model.gates, { metric: "accuracy", min: 0.97 }] }] })),
  );
  expect(text).toContain("| metric | base | this PR | difference (95 % interval) | verdict | production v3 |");
  expect(text).toMatch(
    /\| gate \| rule \| found \|\n\| :-- \| :-- \| :-- \|\n\| ❌\u00a0\*\*fail\*\* \| `accuracy at least 0\.97` \| 0\.96, 0\.01 too low \|/,
  );
  expect(text).toContain("> **Better, and a gate fails.**");
});

test("an unchanged model says so; one whose metrics disagree names them", () => {
  const model = input().models[0];
  if (model === undefined) throw new Error("no model");
  const same = buildReport(input({ models: [{ ...model, head: { predictions: side(30), numbers: {} } }] }));
  expect(lines(renderMarkdown(same)).slice(0, 2).join(" ")).toContain(
    "> [!NOTE] > **No change in any prediction.** `accuracy` stays 0.9000",
  );

  const wrong = side(12);
  if (wrong.task !== "binary") throw new Error("not binary");
  // More accurate, but where it is wrong it is certain.
  const score = wrong.score?.map((value, row) => (row < 12 ? (wrong.prediction[row] ?? 0) : value)) ?? null;
  const evaluation = { ...BINARY, metrics: ["accuracy", "log_loss"] };
  const head = { predictions: { ...wrong, score }, numbers: {} };
  const mixed = buildReport(input({ models: [{ ...model, evaluation, head }] }));
  const headlines = lines(renderMarkdown(mixed))[1];
  expect(mixed.models[0]?.metrics.map(({ verdict }) => verdict)).toEqual(["better", "worse"]);
  expect(headlines).toMatch(/^> \*\*Better\.\*\* .* But `log_loss` \(\+\d\.\d+\) is worse\./);
});

test("changed parameters and data are told value by value", () => {
  const head = runRecord({ data: { digits: `sha256:${"2".repeat(64)}` } as never });
  const base = runRecord({
    params: { "params.yaml": { train: { epochs: 20, rate: 0.001 } }, "other.toml": { gone: "x" } },
  });
  const text = renderMarkdown(buildReport(input({ pipelines: [{ head, base, notes: [] }] })));
  expect(text).toContain("| data `digits` | `111111111111` | `222222222222` |");
  expect(text).toContain("| `train.epochs` | `20` | `25` |");
  expect(text).toContain('| `gone` in `other.toml` | `"x"` | – |');
  expect(text).not.toContain("train.rate");
});

test("400 metrics with names of 60 characters still make a comment that fits and leads with the verdict", () => {
  const names = Array.from({ length: 400 }, (_, index) => `${"metric_".repeat(8)}${String(index).padStart(4, "0")}`);
  const numbers = Object.fromEntries(names.map((name, index) => [name, index / 7]));
  const evaluation = { ...BINARY, metrics: ["accuracy", ...names] };
  const [model] = input({ evaluation }).models;
  if (model === undefined) throw new Error("no model");
  const others = Object.fromEntries(names.map((name, index) => [`other_${name}`, index]));
  const large = report({
    models: [{ ...model, head: { ...model.head, numbers } }],
    pipelines: [
      { head: runRecord({ metrics: { "build/metrics.json": others } as never }), base: runRecord(), notes: [] },
    ],
  });
  const full = renderMarkdown(large, { maxCharacters: 1e9 });
  expect(full.length).toBeGreaterThan(30_000);
  for (const maxCharacters of [65_000, 20_000, 5_000, 1_500]) {
    const text = renderMarkdown(large, { maxCharacters });
    expect(text.length).toBeLessThanOrEqual(maxCharacters);
    expect(text).toMatch(/^> \[!TIP\]\n> \*\*Better\.\*\* `accuracy` /);
    expect(text).toContain("<sub>Lockstep ·");
    // What was left out is told.
    if (text.length < full.length) expect(text).toMatch(/more metrics|longer than a comment/);
  }
});

test("whatever is large, the report fits", () => {
  const many = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
  const base = report();
  const [model] = base.models;
  const [pipeline] = base.pipelines;
  if (model === undefined || pipeline === undefined) throw new Error("nothing to enlarge");
  const wide = "w".repeat(300);
  const huge = {
    ...base,
    state: "compared" as const,
    failures: many(100).map(() =>
      many(500)
        .map(() => wide)
        .join("\n"),
    ),
    notes: many(1_000).map(() => wide),
    models: many(30).map((index) => ({
      ...model,
      name: `m${index}${wide}`,
      notes: many(100).map(() => wide),
      gates: many(150).map(() => ({ rule: wide, passed: false, found: wide })),
    })),
    pipelines: many(25).map(() => ({
      ...pipeline,
      stages: many(150).map((index) => ({
        stage: `s${index}${wide}`,
        status: "run" as const,
        ms: 1,
        reason: wide,
        cost: null,
        needs: [],
      })),
      params: many(150).map((index) => ({ file: wide, key: `${index}${wide}`, base: wide, head: wide })),
    })),
  };
  for (const maxCharacters of [65_000, 1_500])
    expect(renderMarkdown(huge, { maxCharacters }).length).toBeLessThanOrEqual(maxCharacters);
});

test("sections give way in their order: flips before the graph, the gates last", () => {
  const made = report();
  const parts = ["| example | label |", "```mermaid", "| why |", "| stage |", "| metric |", "| gate | rule |"];
  const full = renderMarkdown(made).length;
  const seen = Array.from({ length: Math.ceil((full - 1_500) / 50) }, (_, step) => full - step * 50).map((limit) => {
    const text = renderMarkdown(made, { maxCharacters: limit });
    return parts.findIndex((part) => text.includes(part));
  });
  expect(seen[0]).toBe(0);
  expect(new Set(seen)).toEqual(new Set([0, 1, 2, 3, 4]));
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
});

test("the comment has the sections of the view, in its order", () => {
  const full = fullReport();
  const marks = {
    metrics: "| metric |",
    gates: "| gate |",
    flips: "<summary>Flipped",
    changes: "| changed |",
    numbers: "Metrics files: ",
    stages: "<summary>Stages: 2 run, 1 cached; 1 min 4 s; USD 0.0085</summary>",
    reproduce: "<summary>Reproduce",
  };
  const order = (text: string): string[] =>
    Object.entries(marks)
      .map(([name, mark]) => [name, text.indexOf(mark)] as const)
      .filter(([, at]) => at >= 0)
      .toSorted(([, a], [, b]) => a - b)
      .map(([name]) => name);
  for (const view of ["reviewer", "business", "engineer"] as const) {
    const sections = sectionsOf(undefined, view);
    const text = renderMarkdown({ ...full, sections });
    expect(order(text)).toEqual(sections.filter((section) => section in marks));
    expect(text).toMatch(/^> \[!TIP\]\n/);
    expect(text).toMatch(/<sub>Lockstep ·[^\n]*$/);
  }
  const stages = renderMarkdown({ ...full, sections: ["stages"] });
  expect(order(stages)).toEqual(["stages"]);
  expect(stages).toContain("| stage |  | time | cost (`USD`) | why |");
});

test("files that changed are folded and counted", () => {
  const text = renderMarkdown(fullReport());
  expect(text).toContain("<summary>Files: 3 changed</summary>\n\n- `params.yaml` changed\n");
  expect(text).toContain("- `src/old.py` removed\n");
  const many = { count: 5_000, named: Array.from({ length: 200 }, (_, at) => ({ path: `f${at}`, change: "added" })) };
  expect(renderMarkdown({ ...fullReport(), files: many as never })).toContain("… and 4900 more files.");
});

test("a failed experiment and a refused result are told in the first line", () => {
  const stages = runRecord().stages.map((stage) =>
    stage.stage === "train" ? { ...stage, status: "failed" as const } : stage,
  );
  const failed = buildReport(
    input({
      models: [],
      failures: ["boom"],
      pipelines: [{ head: runRecord({ ok: false, stages }), base: null, notes: [] }],
    }),
  );
  expect(failed).toMatchObject({ state: "failed", conclusion: "failure", verdict: "failed" });
  expect(renderMarkdown(failed)).toMatch(/^> \[!CAUTION\]\n> \*\*The experiment failed\.\*\* Stage `train` failed/);
  expect(renderMarkdown(failed)).toContain("```text\nboom\n```");
});

test("the page is one file that loads nothing, and escapes what it shows", async () => {
  const made = report({ id: "<script>alert(1)</script>" });
  const page = await renderHtml({ ...made, head: { label: '"><img src=x>', commit: null }, notes: ["</main>"] });
  expect(page).not.toMatch(/<script|<img|<link|<\/main>[^]*<\/main>|https?:|url\(/);
  expect(page).toContain('class="interval better"');
  expect(page.match(/class="interval /g)).toHaveLength(3);
  expect(page).toContain("prefers-color-scheme:dark");
  expect(Buffer.byteLength(page)).toBeLessThan(150_000);
});

test("the terminal gets columns and no control characters", () => {
  const made = report();
  const text = renderText({ ...made, notes: [], failures: ["\u001B[2Jgone\u0007"] });
  expect(lines(text)[0]).toMatch(/^Better\. accuracy 0\.9000 → 0\.9600/);
  expect(text).toMatch(/digits {6,}base {4,}head/);
  expect(text.replaceAll("\n", "").match(/\p{Cc}/gu)).toBeNull();
});
