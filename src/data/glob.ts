import picomatch from "picomatch";
import { fail, ok } from "../core/index.ts";
import type { Failure, Result } from "../core/index.ts";

const LONGEST = 4096;

/**
 * Whether a path (from the root of the repository) is meant by one of these globs: `*` within a name, `**` across
 * folders, `?`, `[...]`, `{a,b}`. A glob that names a folder means all that is below it. Names that start with a dot
 * are names like any other. A glob that is empty, absolute or leads out of the repository is a `usage` failure.
 */
export function pathMatcher(globs: readonly string[]): Result<(path: string) => boolean> {
  const bad = globs.find((glob) => problemOf(glob) !== undefined);
  if (bad !== undefined) return fail({ code: "usage", ...(problemOf(bad) as Problem) });
  const matchers = globs.map((glob) => matcherOf(glob.replace(/^(\.\/)+/, "").replace(/\/+$/, "")));
  return ok((path) => matchers.some((matches) => matches(path)));
}

/** What stands before the first wildcard is compared first: of a hundred thousand paths, few get any further. */
function matcherOf(pattern: string): (path: string) => boolean {
  const { base, isGlob } = picomatch.scan(pattern);
  const escapes = pattern.includes("\\");
  if (!isGlob && !escapes) return (path) => path === pattern || path.startsWith(`${pattern}/`);
  const matches = picomatch([pattern, `${pattern}/**`], { dot: true, nonegate: true });
  return (path) => (escapes || path.startsWith(base)) && matches(path);
}

type Problem = Pick<Extract<Failure, { code: "usage" }>, "message" | "hint">;

function problemOf(glob: string): Problem | undefined {
  const hint = 'a glob is spelled from the repository\'s root, as in "data/images/**/*.png"';
  if (glob.length > LONGEST) return { message: `a glob has ${glob.length} characters`, hint };
  const parts = glob.split("/");
  const inside = glob !== "" && !glob.startsWith("/") && !parts.includes("..") && !/[\0\n]/.test(glob);
  return inside ? undefined : { message: `${JSON.stringify(glob)} is not a glob of paths in the repository`, hint };
}
