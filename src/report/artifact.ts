import { fromBufferPromise } from "yauzl";
import type { z } from "zod";
import { resultSchema } from "../config/index.ts";
import type { ResultDocument } from "../config/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Failed, Result } from "../core/index.ts";

/** Limits on what an experiment may hand over; its artifact is whatever the pull request's code made of it. */
export interface ArtifactLimits {
  readonly name: string;
  /** The one file in the archive. */
  readonly file: string;
  readonly zipBytes: number;
  readonly bytes: number;
  /** Nested lists and objects in the JSON. */
  readonly depth: number;
  /** Members of one object. */
  readonly members: number;
  /** Characters of one text, and of one name. */
  readonly textLength: number;
  readonly nameLength: number;
}

export const ARTIFACT: ArtifactLimits = {
  name: "lockstep-result",
  file: "lockstep-result.json",
  zipBytes: 8 * 1024 ** 2,
  bytes: 32 * 1024 ** 2,
  depth: 64,
  members: 20_000,
  textLength: 100_000,
  nameLength: 1_000,
};

export const readResult = async (zip: Buffer): Promise<Result<ResultDocument>> =>
  readArtifact(zip, ARTIFACT, resultSchema);

/**
 * The document in the zip of an artifact. Anything but one entry of the one name, inflating to a bounded size (counted
 * while inflating, whatever the header says), JSON of bounded depth and the schema, is refused.
 */
export async function readArtifact<Document>(
  zip: Buffer,
  limits: ArtifactLimits,
  schema: z.ZodType<Document>,
): Promise<Result<Document>> {
  const bytes = await onlyEntry(zip, limits);
  if (!bytes.ok) return bytes;
  if (tooDeep(bytes.value, limits.depth)) return refuse(`its JSON is nested deeper than ${limits.depth} levels`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.value));
  } catch {
    return refuse(`${limits.file} is not JSON`);
  }
  const large = tooLarge(value, limits);
  if (large !== undefined) return refuse(`${limits.file} holds ${large}`);
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  const issues = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.map(String).join(".")}: ${issue.message}`.slice(0, 300));
  return refuse(`${limits.file} does not fit its schema: ${issues.join("; ")}`);
}

async function onlyEntry(zip: Buffer, limits: ArtifactLimits): Promise<Result<Buffer>> {
  if (zip.length > limits.zipBytes) return refuse(`the archive is larger than ${limits.zipBytes} bytes`);
  try {
    // yauzl itself refuses absolute names, backslashes and "..", and sizes that are not what the header says.
    const archive = await fromBufferPromise(zip, { lazyEntries: true });
    if (archive.entryCount !== 1) return refuse(`the archive holds ${archive.entryCount} files in place of one`);
    for await (const entry of archive.eachEntry()) {
      if (entry.fileName !== limits.file) return refuse(`the archive holds "${entry.fileName.slice(0, 200)}"`);
      if (entry.uncompressedSize > limits.bytes) return refuse(`its file is larger than ${limits.bytes} bytes`);
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of (await archive.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > limits.bytes) return refuse(`its file is larger than ${limits.bytes} bytes`);
        chunks.push(chunk);
      }
      return ok(Buffer.concat(chunks));
    }
    return refuse("the archive is empty");
  } catch (error) {
    return refuse(
      `the archive cannot be read: ${String(error instanceof Error ? error.message : error).slice(0, 300)}`,
    );
  }
}

/** Counted before parsing: what reads the value later is recursive, and deep nesting would end it. */
function tooDeep(json: Buffer, most: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index];
    if (quoted) {
      if (byte === 0x5c) index++;
      else if (byte === 0x22) quoted = false;
    } else if (byte === 0x22) quoted = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > most) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
}

/** What no honest result has, and what would make records and reports of any size; undefined when all is in bounds. */
function tooLarge(value: unknown, limits: ArtifactLimits): string | undefined {
  if (typeof value === "string") {
    return value.length > limits.textLength ? `a text of more than ${limits.textLength} characters` : undefined;
  }
  if (value === null || typeof value !== "object") return undefined;
  if (!Array.isArray(value)) {
    const names = Object.keys(value);
    if (names.length > limits.members) return `an object of more than ${limits.members} members`;
    if (names.some(({ length }) => length > limits.nameLength))
      return `a name of more than ${limits.nameLength} characters`;
  }
  for (const member of Object.values(value)) {
    const found = tooLarge(member, limits);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function refuse(reason: string): Failed {
  return fail({ code: "result-refused", reason });
}
