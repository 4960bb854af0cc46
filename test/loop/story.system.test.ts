import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { openStage } from "../../scripts/demo/stage.ts";
import { tellStory } from "../../scripts/demo/story.ts";
import { Teller } from "../../scripts/demo/teller.ts";
import { openApiObserver } from "../helpers/openapi.ts";

const root = resolve(import.meta.dirname, "..", "..");

/** The demo's story with every request and response held against GitHub's own description of its API. */
it("tells the whole loop in GitHub's API", { timeout: 600_000 }, async () => {
  const openapi = openApiObserver();
  mkdirSync(join(root, ".lockstep"), { recursive: true });
  const dir = mkdtempSync(join(root, ".lockstep", "test-story-"));
  const stage = await openStage({ root, dir, port: 0, now: new Date(), observer: openapi.observer });
  try {
    const facts = await tellStory(stage, new Teller(() => {}, false));
    expect(facts.promotedDigest).toBe(facts.reviewedDigest);
    expect(facts.driftIssue).toEqual({ before: facts.driftIssue.after, after: facts.driftIssue.after, closed: true });
    expect(facts.retrainingPullRequest.before).toBe(facts.retrainingPullRequest.after);
    expect(facts.version).toBe(2);
    expect(facts.retrainedVersion).toBe(3);
    expect(openapi.requests()).toBeGreaterThan(50);
    expect(openapi.violations()).toEqual([]);
  } finally {
    await stage.close();
    rmSync(dir, { recursive: true, force: true });
  }
});
