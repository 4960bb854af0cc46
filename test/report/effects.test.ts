import { afterAll, beforeAll, expect, test } from "vitest";
import type { ResultDocument } from "../../src/config/index.ts";
import { value } from "../helpers/value.ts";
import { resultZip, Rig } from "./rig.ts";
import type { Change } from "./rig.ts";

let rig: Rig;
let document: ResultDocument;
let change: Change;

beforeAll(async () => {
  rig = await Rig.start();
  await rig.recordBase();
  change = await rig.propose("change", { "params.yaml": "model:\n  wrong: 4\n  sure: 0.8\n" });
  document = await rig.experiment(change.merge);
}, 120_000);
afterAll(() => rig[Symbol.asyncDispose]());

const good = async (): Promise<number> => rig.leave(change, resultZip(document));
test("from results to the posted comment it is at most 12 requests", async () => {
  rig.forget();
  const from = rig.sandbox.world.requestLog.length;
  value(await rig.publish(change, await good()));
  const asked = rig.sandbox.world.requestLog.slice(from).filter(({ path }) => path.startsWith("/repos/"));
  expect(asked.length).toBeLessThanOrEqual(12);
});

test("while it runs the comment says so, with the plan, above the report that was there", async () => {
  rig.forget();
  const first = await good();
  const begun = value(await rig.publishRun(change, { id: first, conclusion: null }));
  const [running = ""] = rig.ours(change);
  expect(begun.markdown.length).toBeGreaterThan(100);
  expect(running).toMatch(
    /^<!-- lockstep:report run=\d+ attempt=1 going -->\n> \[!NOTE\]\n> \*\*The experiment is running\.\*\*/,
  );
  expect(rig.status(change)?.state).toBe("pending");
  value(await rig.publish(change, first));
  const [report = ""] = rig.ours(change);
  expect(report).toContain("**Better.**");
  expect(rig.status(change)?.state).toBe("success");

  // Word of the beginning that comes after the end is late.
  value(await rig.publishRun(change, { id: first, conclusion: null }));
  expect(rig.ours(change)).toEqual([report]);
  expect(rig.status(change)?.state).toBe("success");

  const [, text] = /\n([^]*)/.exec(report) ?? [];
  for (const attempt of [2, 3]) {
    value(await rig.publishRun(change, { id: first, attempt, conclusion: null }));
    const [again = ""] = rig.ours(change);
    expect(again.split("**The experiment is running.**")).toHaveLength(2);
    expect(again.endsWith(`<!-- lockstep:before -->\n${text}`)).toBe(true);
  }
  expect(rig.status(change)?.state).toBe("pending");
});
