import { z } from "zod";
import type { Parsed } from "./protocol.ts";

const one = z.object({
  id: z.string().min(1).max(1000),
  label: z.union([z.string().min(1).max(1000), z.number(), z.boolean()]),
});
const schema = z.union([one.transform((entry) => [entry]), z.array(one).min(1).max(1000)]);

/**
 * Ground truth that arrives later: `{id, label}` or a list of them. Where the classes are known, a label that is none
 * of them is refused here, at the door, and not met again in a training set.
 */
export function parseFeedback(
  body: unknown,
  classes: readonly string[] | undefined,
): Parsed<{ id: string; label: string }[]> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    return { refusal: { status: 400, error: "feedback is {id, label}, or a list of at most 1000 of them" } };
  }
  const rows = parsed.data.map(({ id, label }) => ({ id, label: String(label) }));
  const odd = classes && rows.find(({ label }) => !classes.includes(label));
  if (odd)
    return { refusal: { status: 400, error: `${JSON.stringify(odd.label.slice(0, 40))} is no class of the model` } };
  return { value: rows };
}
