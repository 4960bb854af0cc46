import { z } from "zod";
import { fail, failedIfAny, ok } from "../../src/core/index.ts";
import type { Failure, Result } from "../../src/core/index.ts";

/** Kinds of input. The runner hands every input over as text, and an absent one without a default as "". */
export const text = z.string().trim();
export const secret = z.string().trim().min(1, "is needed");
export const flag = z
  .enum(["true", "True", "TRUE", "false", "False", "FALSE"], "has to be true or false")
  .transform((value) => value.toLowerCase() === "true");
export const whole = z
  .string()
  .trim()
  .regex(/^\d{1,15}$/, "has to be a whole number")
  .transform(Number);
/** How often the progress of an experiment is told, in ms; null: not while it runs. `LOCKSTEP_PROGRESS` says it. */
export const refreshes = z
  .string()
  .trim()
  .regex(/^(|off|begin|\d{1,4}(\.\d{1,4})?)$/, 'has to be "off", "begin" or minutes')
  .transform((value) => (value === "off" || value === "begin" ? null : Number(value || "5") * 60_000 || null));
/** Names apart by commas, spaces or lines; undefined when there is none. */
export const names = z.string().transform((value, context) => {
  const all = value.split(/[\s,]+/).filter((name) => name !== "");
  for (const name of all) {
    if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(name)) continue;
    context.addIssue({ code: "custom", message: `holds ${JSON.stringify(name)}, which is not a name` });
  }
  return all.length === 0 ? undefined : all;
});

/** Reads all inputs of an action against their kinds; every problem at once. `read` gives the text of one. */
export function readInputs<Shape extends Record<string, z.ZodType>>(
  shape: Shape,
  read: (name: string) => string,
): Result<{ [Name in keyof Shape]: z.infer<Shape[Name]> }> {
  const failures: Failure[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(shape)) {
    const parsed = kind.safeParse(read(name));
    if (parsed.success) values[name] = parsed.data;
    else {
      const problems = parsed.error.issues.map((issue) => issue.message).join(", ");
      failures.push({ code: "usage", message: `input \`${name}\` ${problems}` });
    }
  }
  return failedIfAny(failures) ?? ok(values as { [Name in keyof Shape]: z.infer<Shape[Name]> });
}

/** Reads the event that started the workflow; what GitHub sends is checked only for what is used. */
export function readEvent<Schema extends z.ZodType>(
  schema: Schema,
  payload: unknown,
  name: string,
): Result<z.infer<Schema>> {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return ok(parsed.data);
  const where = parsed.error.issues.map((issue) => issue.path.join(".")).join(", ");
  return fail({
    code: "usage",
    message: `this action cannot work on the event \`${name}\`: its ${where} is missing or of another kind`,
    hint: "the action's README says which workflow it belongs in",
  });
}
