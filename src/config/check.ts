import { z } from "zod";

/** The result of one data check. */
export const checkSchema = z.strictObject({
  name: z.string().min(1).max(200),
  passed: z.boolean(),
  /** What was found, in a person's words. */
  found: z.string().max(1_000),
});
export type Check = z.infer<typeof checkSchema>;

/** A stage's `checks` file. */
export const checksFileSchema = z.strictObject({ checks: z.array(checkSchema).max(1_000) });
