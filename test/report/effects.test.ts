import { afterAll, beforeAll, expect, test } from "vitest";
import type { ResultDocument } from "../../src/config/index.ts";
import { fail, ok } from "../../src/core/index.ts";
import type { Result } from "../../src/core/index.ts";
import { value } from "../helpers/value.ts";
import { resultZip, Rig } from "./rig.ts";
import type { Change } from "./rig.ts";

let rig: Rig;
let document: ResultDocument;
let change: Change;

beforeAll(async () => {
  ({ rig, change, document } = await Rig.withChange());
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

test("the comment and the check link to the page that was kept, for no request more; one that could not be costs no report", async () => {
  rig.forget();
  const pages: string[] = [];
  const url = "https://github.test/acme/toy/actions/runs/9/artifacts/4";
  const from = rig.sandbox.world.requestLog.length;
  const keepPage = async (html: string): Promise<Result<string>> => {
    pages.push(html);
    return ok(url);
  };
  value(await rig.publishRun(change, { id: await good() }, { keepPage }));
  const asked = rig.sandbox.world.requestLog.slice(from).filter(({ path }) => path.startsWith("/repos/"));
  expect(asked.length).toBeLessThanOrEqual(12);
  expect(pages).toEqual([expect.stringMatching(/^<!doctype html>[^]*<h1>Better<\/h1>/)]);
  const link = `· [full report](${url})`;
  expect(rig.ours(change)).toEqual([expect.stringContaining(link)]);
  expect(rig.repository.checkRuns.at(-1)?.output.summary).toContain(link);

  const refused = async (): Promise<Result<string>> =>
    fail({ code: "external", what: "sending the artifact", problem: "the service is down" });
  value(await rig.publishRun(change, { id: await good() }, { keepPage: refused }));
  expect(rig.ours(change)).toEqual([expect.not.stringContaining("full report")]);
  expect(rig.ours(change)).toEqual([expect.stringContaining("**Better.**")]);
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
