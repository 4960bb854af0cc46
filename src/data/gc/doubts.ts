import { message } from "../../core/index.ts";
import type { Needs } from "./needs.ts";
import type { Doubt, Root } from "./root.ts";

/** A content that is named and that a store does not have, or not whole. */
export interface Missing {
  readonly why: string;
  readonly digest: string;
  readonly problem: string;
  readonly doubt: boolean;
}

/**
 * What of the named contents the store lacks. Where a commit names what the team's store has nothing of, or anybody
 * but a stranger what it has a part of, the rest may still lie there, and nobody can say which it is. Records, working
 * trees and pull requests may name what never was sent. A cache holds of everything what was fetched, and lacks nothing.
 */
export function missingOf(needs: Needs, team: boolean): Missing[] {
  const absent = team ? needs.absent.filter(({ source }) => source === "branches and tags") : [];
  const damaged = needs.damaged.filter(({ cause }) => team || cause.code !== "blob-missing");
  return [
    ...absent.map((root) => missing(root, "is not in the store", true)),
    ...damaged.map(({ root, cause }) =>
      missing(
        root,
        `is not whole: ${message(cause)}`,
        root.source !== "untrusted records" && root.source !== "checkpoints",
      ),
    ),
  ];
}

function missing({ why, digest }: Root, problem: string, doubt: boolean): Missing {
  return { why, digest, problem, doubt };
}

export function doubtsOf(missing: readonly Missing[]): Doubt[] {
  return missing.flatMap(({ why, digest, problem, doubt }): Doubt[] => {
    if (!doubt) return [];
    const hint = "`lockstep data push` where it is whole; or --missing-ok, if it is lost or never was there";
    return [{ kind: "missing", failure: { code: "external", what: `${why} (${digest.slice(0, 19)})`, problem, hint } }];
  });
}
