import { fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { call } from "./client.ts";
import type { GitHub } from "./client.ts";

export interface Artifact {
  readonly id: number;
  readonly name: string;
  /** The zip archive as GitHub sent it: hostile until somebody has looked inside with limits of their own. */
  readonly zip: Buffer;
}

/**
 * Fetches an artifact of a workflow run into memory; undefined when the run left none of that name. Of several (one
 * per attempt) the newest counts. Refused when the archive is larger than `maxBytes`, before it is read.
 */
export async function downloadArtifact(
  gh: GitHub,
  options: { readonly runId: number; readonly name: string; readonly maxBytes: number },
): Promise<Result<Artifact | undefined>> {
  const { owner, repo } = gh;
  const listed = await call(
    gh.octokit.rest.actions.listWorkflowRunArtifacts({
      owner,
      repo,
      run_id: options.runId,
      name: options.name,
      per_page: 100,
    }),
  );
  if (!listed.ok) return listed;
  const newest = listed.value.artifacts
    .filter((artifact) => artifact.name === options.name && !artifact.expired)
    .sort((a, b) => b.id - a.id)[0];
  if (newest === undefined) return ok(undefined);
  const tooLarge = fail({
    code: "result-refused",
    reason: `the artifact ${options.name} is larger than ${options.maxBytes} bytes`,
  });
  if (newest.size_in_bytes > options.maxBytes) return tooLarge;
  const where = await call<unknown>(
    gh.octokit
      .request("GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}", {
        owner,
        repo,
        artifact_id: newest.id,
        archive_format: "zip",
        request: { redirect: "manual" },
      })
      .then(({ headers, status }) => ({ data: status === 302 ? headers.location : undefined })),
  );
  if (!where.ok) return where;
  if (typeof where.value !== "string") {
    return fail({
      code: "external",
      what: `artifact ${options.name}`,
      problem: "GitHub gave no place to fetch it from",
    });
  }
  const zip = await body(gh, where.value, options.maxBytes);
  if (!zip.ok) return zip;
  return zip.value === undefined ? tooLarge : ok({ id: newest.id, name: newest.name, zip: zip.value });
}

/** The bytes behind a URL that carries its own signature (the token is not sent); undefined when there are too many. */
async function body(gh: GitHub, url: string, maxBytes: number): Promise<Result<Buffer | undefined>> {
  try {
    const response = await gh.fetch(url);
    if (!response.ok || response.body === null) {
      return fail({
        code: "github",
        method: "GET",
        url: url.split("?")[0] ?? url,
        status: response.status,
        message: "no artifact",
      });
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > maxBytes) return ok(undefined);
      chunks.push(chunk);
    }
    return ok(Buffer.concat(chunks));
  } catch (error) {
    return fail({ code: "external", what: "artifact download", problem: String(error), cause: error });
  }
}
