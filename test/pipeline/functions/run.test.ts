import { describe as suite, expect, test } from "vitest";
import { atRevision } from "../../../src/git/index.ts";
import { loadPipeline, plan } from "../../../src/pipeline/index.ts";
import { sh, write } from "../../git/repository.ts";
import { value } from "../../helpers/value.ts";
import { local, runDemo, statuses } from "../project.ts";
import { body, functions, said } from "./functions.ts";

suite("a stage that is a function", () => {
  test("runs with its inputs read and its outputs written, and again when a module it imports changes", async () => {
    using at = functions();
    const first = await runDemo(at.context);
    expect(said(first)).toEqual([]);
    expect(first.run.metrics).toEqual({ "build/metrics.json": { few: 1, ids: 2 } });
    expect(at.read("build/few.csv")).toBe("id,name\n1,Ann\n");
    expect(statuses(await runDemo(at.context))).toEqual(["prepare: cached", "count: cached"]);

    write(at.path, { "code/lib/part.ts": "export const part = (list: any[]) => [list.slice(0, 2), list.slice(2)];\n" });
    const basics = local(at.context);
    const pipeline = value(await loadPipeline(basics.source, "demo"));
    const { stages } = value(await plan(at.context, { ...basics, pipeline }));
    expect(stages.map(({ action, reason }) => `${action}: ${reason}`)).toEqual([
      "run: code/lib/part.ts changed",
      "run: prepare will run",
    ]);
    const source = value(await atRevision(at.context, "HEAD"));
    const before = value(await loadPipeline(source, "demo"));
    const then = value(await plan(at.context, { ...basics, source, pipeline: before }));
    expect(then.stages.map(({ action }) => action)).toEqual(["cached", "cached"]);
  });

  test("what it prints is the stage's output, and what it throws is told with its place", async () => {
    using at = body("console.log('here');\n  const none: any = null;\n  return none.x;");
    const printed: string[] = [];
    const outcome = await runDemo({
      ...at.context,
      emit: (event) => event.type === "stage-output" && printed.push(`${event.stream}: ${event.text}`),
    });
    expect(said(outcome)).toEqual([
      `code/a.ts:4:15 stage "a" threw TypeError: Cannot read properties of null (reading 'x')`,
    ]);
    expect(outcome.failures[0]).toMatchObject({ at: { source: "  return none.x;" } });
    expect(printed[0]).toBe("stdout: here");
    expect(printed.at(-1)).toMatch(/^stderr: {5}at a \(file:.*a\.ts:4:15\)$/);
  });

  test("of an input with a fault, the place is told", async () => {
    using at = body("return { x: 1 };", "inputs: {rows: rows.csv}, outputs: {x: build/x.json}", {
      "rows.csv": "a,b\n1\n",
    });
    expect(said(await runDemo(at.context))).toEqual([
      'rows.csv:2:1 stage "a" cannot read its input "rows": rows.csv has 1 cells in a row, and the header has 2',
    ]);
  });

  test("cannot load a module that its key does not know", async () => {
    using at = body('const name = ["./other", "ts"].join(".");\n  await import(name);\n  return { x: 1 };', undefined, {
      "code/other.ts": "export {};\n",
    });
    const hint = 'import it by its path in quotes, or name code/other.ts in "deps"';
    expect(said(await runDemo(at.context))).toEqual([
      `pipelines/demo.yaml:2:12 stage "a" loads code/other.ts, which its key does not know (${hint})`,
    ]);
    write(at.path, {
      "pipelines/demo.yaml": "stages:\n  a: {run: code/a.ts#a, deps: [code], outputs: {x: build/x.json}}\n",
    });
    sh(at.path, "add", "--all");
    expect(said(await runDemo(at.context))).toEqual([]);
  });
});
