import { fail, ok, type Location, type Result } from "../../core/index.ts";
import { text, type Value } from "./evaluate.ts";

export type Combination = Readonly<Record<string, Value>>;

/** https://docs.github.com/actions/reference/limits */
const MAX_JOBS = 256;

const equal = (a: Value | undefined, b: Value): boolean => {
  if (a === undefined) return false;
  if (a !== null && b !== null && typeof a === "object" && typeof b === "object") {
    // An object in `exclude` or `include` matches when it agrees in what it names.
    const left = a as Record<string, Value>;
    return Object.entries(b).every(([key, value]) => equal(left[key], value as Value));
  }
  return a === b || (a !== null && b !== null && typeof a !== "object" && text(a) === text(b));
};

const list = (value: Value | undefined): readonly Combination[] =>
  Array.isArray(value) ? (value as Combination[]).filter((item) => item !== null && typeof item === "object") : [];

/** All combinations of a matrix; a job without one has the single empty combination. */
export function expandMatrix(matrix: Value, at: Location): Result<Combination[]> {
  if (matrix === null) return ok([{}]);
  const wrong = (problem: string): Result<never> => fail({ code: "file-invalid", at, problem });
  if (typeof matrix !== "object" || Array.isArray(matrix)) return wrong("a matrix is a mapping");
  const { include, exclude, ...vectors } = matrix as Record<string, Value>;
  let combinations: Record<string, Value>[] = Object.keys(vectors).length === 0 ? [] : [{}];
  for (const [name, values] of Object.entries(vectors)) {
    if (!Array.isArray(values)) return wrong(`\`${name}\` of a matrix is a list`);
    if (values.length === 0) return wrong(`\`${name}\` of a matrix is empty`);
    combinations = combinations.flatMap((base) => (values as Value[]).map((value) => ({ ...base, [name]: value })));
  }
  combinations = combinations.filter(
    (item) => !list(exclude).some((rule) => Object.entries(rule).every(([key, value]) => equal(item[key], value))),
  );
  // An entry of `include` extends every original combination it does not contradict; else it is one of its own.
  const names = new Set(Object.keys(vectors));
  const originals = combinations.map((item) => ({ original: { ...item }, item }));
  const added: Record<string, Value>[] = [];
  for (const extra of list(include)) {
    const shared = Object.entries(extra).filter(([key]) => names.has(key));
    const fitting = originals.filter(({ original }) => shared.every(([key, value]) => equal(original[key], value)));
    if (fitting.length === 0) added.push({ ...extra });
    for (const { item } of fitting) Object.assign(item, extra);
  }
  const all = [...combinations, ...added];
  if (all.length > MAX_JOBS) return wrong(`the matrix makes ${all.length} jobs; a run has at most ${MAX_JOBS}`);
  if (all.length === 0) return wrong("the matrix makes no job");
  return ok(all);
}

/** `build (a, 1)`: what GitHub adds to a job's name that does not itself tell its combination. */
export function combinationSuffix(combination: Combination): string {
  const leaves = (value: Value): string[] =>
    value !== null && typeof value === "object"
      ? Object.values(value).flatMap((item) => leaves(item as Value))
      : [text(value)];
  const parts = Object.values(combination).flatMap(leaves);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}
