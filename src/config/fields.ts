import { z } from "zod";
import { isDigest, isDvcDigest, isRelativePath, isStageKey } from "../core/index.ts";
import type { ContentDigest, Digest, RelativePath, StageKey } from "../core/index.ts";

/** Fields that several files share. Each refuses what could not be written back safely. */
export const path = z.custom<RelativePath>(
  (value) => typeof value === "string" && isRelativePath(value),
  "a path is relative to the repository's root, with / between its parts, and does not leave it",
);
export const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/, "a name is letters, digits, _ . -, and starts with a letter or digit");
export const digest = z.custom<Digest>(
  (value) => typeof value === "string" && isDigest(value),
  "a digest is sha256: and 64 lower-case hex digits",
);
/** Dataset (its name; of a `.dvc` file the path it tracks) -> its content. */
export const data = z.record(
  z.string().refine((text): boolean => isRelativePath(text), "a dataset has a name or a path"),
  z.custom<ContentDigest>(
    (value) => typeof value === "string" && (isDigest(value) || isDvcDigest(value)),
    "a digest is sha256: and 64, or md5: and 32 lower-case hex digits",
  ),
);
export const stageKey = z.custom<StageKey>(
  (value) => typeof value === "string" && isStageKey(value),
  "a stage key is 64 lower-case hex digits",
);
export const commit = z.string().regex(/^[0-9a-f]{40}$/, "a commit is 40 lower-case hex digits");
export const instant = z.iso.datetime();
export const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
export const params = z.record(z.string(), z.record(z.string(), z.json()));
/** Flattened metrics: `a.b.c` -> finite number. */
export const metrics = z.record(z.string(), z.number());
