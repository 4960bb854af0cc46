import { fail, ok } from "./result.ts";
import type { Result } from "./result.ts";

/** True for what the operating system refuses (ENOSPC, EACCES, ...), as opposed to a bug. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string" && "code" in error;
}

/** Runs file system work: what the system refuses becomes an `external` failure, anything else is thrown on. */
export async function attempt<T>(what: string, work: () => Promise<T>): Promise<Result<T>> {
  try {
    return ok(await work());
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return fail({ code: "external", what, problem: error.message, cause: error });
  }
}
