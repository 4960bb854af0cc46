import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { PROGRESS, stageRecordSchema } from "../../config/index.ts";
import { commit, digest, instant, name, path, stageKey } from "../../config/fields.ts";
import { attempt, fail, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { folderStore } from "../../store/index.ts";
import type { LocalStore } from "../../store/index.ts";

/** Moves folders between the jobs of one workflow run. */
export interface Parcels {
  /** Sends every file of a folder, under a name of its own in the run. */
  readonly send: (name: string, folder: string) => Promise<Result<void>>;
  /** Puts what was sent under a name into a folder; false: nothing was. */
  readonly receive: (name: string, folder: string) => Promise<Result<boolean>>;
}

/** What the first job tells the others. */
export const planDocumentSchema = z.strictObject({
  documentVersion: z.literal(1),
  commit,
  pipeline: name,
  startedAt: instant,
  /** A blob that the first job put into the store: a job that finds it there shares the store. null: it could not. */
  mark: digest.nullable(),
  /** In the pipeline's order; empty when `failures` says why. */
  stages: z.array(
    z.strictObject({
      stage: z.string(),
      key: stageKey.nullable(),
      action: z.enum(["cached", "run"]),
      reason: z.string(),
      record: stageRecordSchema.optional(),
    }),
  ),
  failures: z.array(z.string()),
});
export type PlanDocument = z.infer<typeof planDocumentSchema>;

/** How it went with one stage, in a job of its own. */
export const stageDocumentSchema = z.strictObject({
  documentVersion: z.literal(1),
  commit,
  stage: z.string(),
  status: z.enum(["cached", "run", "failed", "skipped"]),
  key: stageKey.nullable(),
  reason: z.string(),
  ms: z.number().int().min(0),
  /** Of a stage that ended well. */
  record: stageRecordSchema.optional(),
  /** Outputs whose bytes are in the parcel: those that no store both jobs share has. */
  carried: z.array(path),
  failures: z.array(z.string()),
});
export type StageDocument = z.infer<typeof stageDocumentSchema>;

const DOCUMENT = "document.json";

export const PLAN_PARCEL = "lockstep-plan";

/** A stage's name may hold what an artifact's cannot. */
export function stageParcel(stage: string): string {
  const readable = stage.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 60);
  return `lockstep-stage-${readable}-${createHash("sha256").update(stage).digest("hex").slice(0, 12)}`;
}

/** Name of what the job of a stage leaves of its progress. */
export const progressParcel = (stage: string): string => stageParcel(stage).replace("lockstep-stage-", `${PROGRESS}-`);

/** The bytes that a parcel carries. */
export function parcelStore(context: Context, folder: string): LocalStore {
  return folderStore(context, join(folder, "store"));
}

/** Writes the document of a parcel into its folder and sends it. */
export async function sendDocument(
  parcels: Parcels,
  name: string,
  folder: string,
  document: PlanDocument | StageDocument,
): Promise<Result<void>> {
  const written = await attempt(folder, async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, DOCUMENT), JSON.stringify(document));
  });
  return written.ok ? parcels.send(name, folder) : written;
}

/** The document of a parcel, checked: code of a pull request may have had a hand in it. Undefined: none was sent. */
export async function receiveDocument<Document extends PlanDocument | StageDocument>(
  parcels: Parcels,
  name: string,
  folder: string,
  schema: z.ZodType<Document>,
): Promise<Result<Document | undefined>> {
  const received = await parcels.receive(name, folder);
  if (!received.ok) return received;
  if (!received.value) return ok(undefined);
  const text = await attempt(name, () => readFile(join(folder, DOCUMENT), "utf8"));
  if (!text.ok) return text;
  try {
    return ok(schema.parse(JSON.parse(text.value)));
  } catch (error) {
    return fail({ code: "external", what: `the artifact ${name}`, problem: "is not what a job sends", cause: error });
  }
}
