import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fail, ok } from "../../src/core/index.ts";
import type { Result } from "../../src/core/index.ts";
import type { Parcels } from "../../src/pipeline/index.ts";

/** Folders between jobs, as artifacts of the run. What an earlier attempt of the job left under the name is replaced. */
export const artifacts: Parcels = {
  send: async (name, folder) => {
    const sent = await sendFolder(name, folder);
    return sent.ok ? ok() : sent;
  },
  receive: (name, folder) =>
    talk(`fetching the artifact ${name}`, async () => {
      const { ArtifactNotFoundError, DefaultArtifactClient } = await import("@actions/artifact");
      const client = new DefaultArtifactClient();
      try {
        const { artifact } = await client.getArtifact(name);
        await client.downloadArtifact(artifact.id, { path: folder });
        return true;
      } catch (error) {
        if (error instanceof ArtifactNotFoundError) return false;
        throw error;
      }
    }),
};

/** Loads the client, which takes it a third of a second: for who will send, and waits for something else before. */
export function prepareToSend(): void {
  import("@actions/artifact").catch(() => {}); // whoever sends is told
}

/** Gives the artifact's number, by which its page is found. */
export async function sendFolder(
  name: string,
  folder: string,
  options: { readonly retentionDays?: number } = {},
): Promise<Result<number | undefined>> {
  return talk(`sending the artifact ${name}`, async () => {
    const { DefaultArtifactClient } = await import("@actions/artifact");
    const client = new DefaultArtifactClient();
    const upload = async (): Promise<number | undefined> =>
      (await client.uploadArtifact(name, await filesOf(folder), folder, options)).id;
    try {
      return await upload();
    } catch (refused) {
      await client.deleteArtifact(name).catch(() => Promise.reject(refused));
      return upload();
    }
  });
}

/** The client throws whatever goes wrong between it and the service. */
async function talk<T>(what: string, work: () => Promise<T>): Promise<Result<T>> {
  try {
    return ok(await work());
  } catch (error) {
    return fail({
      code: "external",
      what,
      problem: error instanceof Error ? error.message : String(error),
      cause: error,
    });
  }
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
