import type { Provenance, RunRecord, StageRecord } from "../../src/config/index.ts";
import type { Digest, RelativePath, StageKey } from "../../src/core/index.ts";

export const BRANCH = "lockstep-records";
export const COMMIT = "c".repeat(40);

export function provenance(trusted: boolean): Provenance {
  return {
    trusted,
    event: "pull_request",
    repository: "acme/churn",
    headRepository: trusted ? "acme/churn" : "mallory/churn",
    workflow: ".github/workflows/lockstep-experiment.yml",
    workflowCommit: COMMIT,
    runId: "7",
    runAttempt: 1,
    actor: "ada",
  };
}

export function key(at: number): StageKey {
  return at.toString(16).padStart(2, "0").padEnd(64, "0") as StageKey;
}

export function stage(at: number, trusted: boolean | null, out = "a"): StageRecord {
  return {
    recordVersion: 1,
    key: key(at),
    pipeline: "churn",
    stage: "train",
    outs: [{ path: "m.onnx" as RelativePath, kind: "file", digest: `sha256:${out.repeat(64)}` as Digest, size: 1 }],
    metrics: { "m.json": { auc: 0.5 } } as unknown as StageRecord["metrics"],
    profile: null,
    startedAt: "2026-01-02T03:04:05Z",
    ms: 12,
    commit: COMMIT,
    provenance: trusted === null ? null : provenance(trusted),
  };
}

export function run(trusted: boolean | null, more: Partial<RunRecord> = {}): RunRecord {
  return {
    recordVersion: 1,
    pipeline: "churn",
    commit: COMMIT,
    startedAt: "2026-01-02T03:04:05Z",
    ms: 12,
    ok: true,
    stages: [],
    params: {},
    metrics: {},
    data: {},
    provenance: trusted === null ? null : provenance(trusted),
    ...more,
  };
}
