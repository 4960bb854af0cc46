import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { buffer } from "node:stream/consumers";
import { fromBuffer } from "yauzl";
import type { Entry, ZipFile } from "yauzl";
import { resultSchema } from "../../src/config/index.ts";
import type { ResultDocument } from "../../src/config/index.ts";
import type { World } from "../../src/sandbox/world.ts";

/** The result document in the artifact of a run, as the sandbox keeps it. */
export async function readResultArtifact(world: World, repository: string, runId: number): Promise<ResultDocument> {
  const artifacts = world.repositories.get(repository)?.artifacts ?? [];
  const artifact = artifacts.find((entry) => entry.runId === runId && entry.name === "lockstep-result");
  if (artifact === undefined) throw new Error(`run ${runId} has no artifact lockstep-result`);
  const open = promisify(
    fromBuffer as (bytes: Buffer, options: object, done: (error: Error | null, zip: ZipFile) => void) => void,
  );
  const zip = await open(readFileSync(world.blobPath(artifact.blob)), { lazyEntries: true });
  const entry = await new Promise<Entry>((resolve, reject) => {
    zip.once("entry", resolve).once("error", reject);
    zip.readEntry();
  });
  const stream = await promisify(
    zip.openReadStream.bind(zip) as (
      entry: Entry,
      done: (error: Error | null, stream: NodeJS.ReadableStream) => void,
    ) => void,
  )(entry);
  return resultSchema.parse(JSON.parse((await buffer(stream)).toString()));
}
