import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { fail, ok } from "../core/index.ts";
import type { Context, Result } from "../core/index.ts";

const SMOKE_TIMEOUT_MS = 30_000;

const metadataSchema = z.object({
  inputs: z.array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number().int()) })),
});
const answerSchema = z.object({
  model_version: z.string(),
  outputs: z.array(z.object({ data: z.array(z.union([z.number(), z.string(), z.boolean(), z.null()])) })).min(1),
});

/** True when the server at the URL is this very process, and ready. */
export async function isServing(context: Context, url: string, instance: string): Promise<boolean> {
  try {
    const response = await context.fetch(`${url}/v2/health/ready`, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return response.ok && response.headers.get("lockstep-instance") === instance;
  } catch {
    return false;
  }
}

/** Waits until `condition` holds; false after `ms`. */
export async function until(condition: () => Promise<boolean> | boolean, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await wait(50)) {
    if (await condition()) return true;
  }
  return condition();
}

/**
 * One inference with made-up input of the declared shapes, which is not logged: the version answers, and with numbers.
 * Whether it answers well was judged before it was promoted.
 */
export async function smoke(context: Context, url: string, model: string, version: number): Promise<Result<void>> {
  const bad = (problem: string): Result<void> =>
    fail({ code: "external", what: `the smoke test of model "${model}" version ${version}`, problem });
  const base = `${url}/v2/models/${model}`;
  try {
    const signal = AbortSignal.timeout(SMOKE_TIMEOUT_MS);
    const described = await context.fetch(base, { signal });
    const metadata = metadataSchema.safeParse(await described.json());
    if (!described.ok || !metadata.success) return bad(`its metadata is answered with ${described.status}`);
    const inputs = metadata.data.inputs.map(({ name, datatype, shape: declared }) => {
      const shape = declared.map((dim) => (dim < 1 ? 1 : dim));
      const size = shape.reduce((product, dim) => product * dim, 1);
      const value = datatype === "BYTES" ? "" : datatype === "BOOL" ? false : 0;
      return { name, datatype, shape, data: Array.from({ length: size }, () => value) };
    });
    const response = await context.fetch(`${base}/infer`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id: "smoke", parameters: { log: false }, inputs }),
      signal,
    });
    const text = await response.text();
    if (!response.ok) return bad(`it answers ${response.status}: ${text.slice(0, 500)}`);
    const answer = answerSchema.safeParse(JSON.parse(text));
    if (!answer.success) return bad("its answer is not one of the protocol");
    if (answer.data.model_version !== String(version)) return bad(`version ${answer.data.model_version} answers`);
    if (answer.data.outputs.some(({ data }) => data.includes(null))) return bad("an output is not a finite number");
    return ok();
  } catch (error) {
    return bad(error instanceof Error ? error.message : String(error));
  }
}
