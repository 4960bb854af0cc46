import { createHash } from "node:crypto";
import type { ModelLock, ModelVersion } from "../config/index.ts";
import { canonicalJson } from "../core/index.ts";
import type { Digest } from "../core/index.ts";
import { productionVersion } from "./models.ts";

/** What a pipeline made at a commit, ready to become a version. */
export type Candidate = Omit<ModelVersion, "version" | "release">;

/**
 * What promotion does to a lock. `none`: the candidate is in production. `held`: it was a version once and somebody
 * took it back, which only somebody changes. `restore`: the sources are those of an older version again. `refused`: a
 * gate fails. `append`: a new version, in production.
 */
export type PromotionPlan =
  | { readonly action: "none"; readonly version: ModelVersion }
  | { readonly action: "held"; readonly reason: string }
  | { readonly action: "restore"; readonly version: ModelVersion; readonly lock: ModelLock }
  | { readonly action: "refused"; readonly gates: readonly string[] }
  | { readonly action: "append"; readonly version: ModelVersion; readonly lock: ModelLock };

export interface PlanPromotionOptions {
  readonly lock: ModelLock;
  readonly candidate: Candidate;
  /** Gates that the candidate does not pass, in words; judged against this lock's production version. */
  readonly failedGates: readonly string[];
  /** True when the lockfile's history has this digest although the lock has not: its entry was reverted. */
  readonly removedBefore: boolean;
  readonly alias?: string;
}

/** Decides from the lock as it stands; pure, so that it is computed anew whenever the lock has moved. */
export function planPromotion(options: PlanPromotionOptions): PromotionPlan {
  const { lock, candidate, alias = "production" } = options;
  const current = productionVersion(lock, alias);
  if (current?.digest === candidate.digest) return { action: "none", version: current };

  const known = lock.versions.findLast((version) => version.digest === candidate.digest);
  if (known !== undefined) {
    if (current !== undefined && known.version > current.version) {
      return {
        action: "held",
        reason: `version ${known.version} was taken back: "${alias}" is version ${current.version}`,
      };
    }
    return {
      action: "restore",
      version: known,
      lock: { ...lock, aliases: { ...lock.aliases, [alias]: known.version } },
    };
  }
  if (options.removedBefore) {
    return { action: "held", reason: "it was a version before, and the commit that made it one was reverted" };
  }
  if (options.failedGates.length > 0) return { action: "refused", gates: options.failedGates };

  const number = Math.max(0, ...lock.versions.map((version) => version.version)) + 1;
  const version: ModelVersion = { ...candidate, version: number, release: `${lock.model}/v${number}` };
  return {
    action: "append",
    version,
    lock: { ...lock, versions: [...lock.versions, version], aliases: { ...lock.aliases, [alias]: number } },
  };
}

/** One digest for all files of a version: that of the canonical JSON of name -> digest. */
export function versionDigest(files: Readonly<Record<string, Digest>>): Digest {
  return `sha256:${createHash("sha256").update(canonicalJson(files)).digest("hex")}` as Digest;
}
