import { describe } from "../../src/core/index.ts";
import type { Result } from "../../src/core/index.ts";

/** The value of a result that has to be one; a failure ends the test with its description. */
export function value<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(result.failures.map(describe).join("\n"));
}
