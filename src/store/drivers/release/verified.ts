import { createHash } from "node:crypto";
import type { Body } from "../../driver.ts";

/** The source gave other bytes than it announced. */
export class BodyMismatch extends Error {}

/**
 * The bytes of a body, the last of them only when all have the size and the digest that were announced: what is wrong
 * never arrives whole.
 * @throws BodyMismatch, and what the source throws.
 */
export async function* verified(body: Body): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let size = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of body.read(0, body.size)) {
    if (chunk.length === 0) continue;
    size += chunk.length;
    if (size > body.size) break;
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = Uint8Array.from(chunk); // a source may use its buffer again
  }
  const digest = `sha256:${hash.digest("hex")}`;
  if (size > body.size) throw new BodyMismatch(`more than the ${body.size} bytes came that were announced`);
  if (size !== body.size || digest !== body.digest) {
    const announced = `the ${body.size} bytes ${body.digest} that were announced`;
    throw new BodyMismatch(`${size} bytes ${digest} came, not ${announced}`);
  }
  if (held !== undefined) yield held;
}
