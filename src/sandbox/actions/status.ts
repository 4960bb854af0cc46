import { data } from "@actions/expressions";
import type { FunctionDefinition } from "@actions/expressions/funcs/info";

/** How things stand where a condition is looked at. */
export interface Status {
  readonly success: boolean;
  readonly failure: boolean;
  readonly cancelled: boolean;
}

const status = (name: string, holds: () => boolean): FunctionDefinition => ({
  name,
  minArgs: 0,
  maxArgs: 0,
  call: () => new data.BooleanData(holds()),
});

/** `success()`, `failure()`, `cancelled()` and `always()`. */
export function statusFunctions(now: Status): FunctionDefinition[] {
  return [
    status("success", () => now.success && !now.cancelled),
    status("failure", () => now.failure && !now.cancelled),
    status("cancelled", () => now.cancelled),
    status("always", () => true),
  ];
}
