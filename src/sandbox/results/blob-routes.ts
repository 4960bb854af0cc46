import { randomUUID } from "node:crypto";
import type { Hono } from "hono";
import { requestBody, sendBlob } from "../blobs.ts";
import type { World } from "../world.ts";
import { readGrant, type Grant } from "./sign.ts";
import { commitBlocks, putBlock, putWhole } from "./uploads.ts";

/** Headers the storage client of the real service looks at. */
function storageHeaders(world: World): Record<string, string> {
  return {
    "x-ms-request-id": randomUUID(),
    "x-ms-version": "2024-11-04",
    etag: `"${randomUUID()}"`,
    "last-modified": world.clock.now().toUTCString(),
  };
}

function storageError(status: number, code: string): Response {
  const xml = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  return new Response(xml, { status, headers: { "content-type": "application/xml", "x-ms-error-code": code } });
}

async function upload(world: World, url: URL, request: Request, grant: Grant): Promise<Response> {
  const created = (): Response => new Response(null, { status: 201, headers: storageHeaders(world) });
  const comp = url.searchParams.get("comp");
  if (comp === "block") {
    await putBlock(world, grant.blob, url.searchParams.get("blockid") ?? "", requestBody(request));
    return created();
  }
  if (comp === "blocklist") {
    const blocks = [...(await request.text()).matchAll(/<(?:Latest|Uncommitted|Committed)>([^<]*)</g)];
    const complete = await commitBlocks(
      world,
      grant.blob,
      blocks.map(([, id = ""]) => id),
    );
    return complete ? created() : storageError(400, "InvalidBlockList");
  }
  if (request.headers.get("x-ms-blob-type") !== "BlockBlob") return storageError(400, "MissingRequiredHeader");
  return (await putWhole(world, grant.blob, requestBody(request))) ? created() : storageError(404, "BlobNotFound");
}

/** Downloads and uploads at signed addresses: the part of blob storage that the Actions clients use. */
export function mountBlobs(app: Hono, world: World): void {
  app.put("/_results/blobs/:blob", async (context) => {
    const url = new URL(context.req.url);
    const grant = readGrant(world, url);
    if (grant?.access !== "write") return storageError(403, "AuthenticationFailed");
    return upload(world, url, context.req.raw, grant);
  });
  app.get("/_results/blobs/:blob", async (context) => {
    const grant = readGrant(world, new URL(context.req.url));
    if (grant?.access !== "read") return storageError(403, "AuthenticationFailed");
    // Two ways to authorise one request: the real storage refuses that, so a token that leaks here is noticed.
    if (context.req.header("authorization") !== undefined) return storageError(400, "InvalidAuthenticationInfo");
    const type = grant.contentType ?? "application/octet-stream";
    const file = type === "application/zip" ? `${grant.name ?? "download"}.zip` : (grant.name ?? "download");
    const headers = {
      ...storageHeaders(world),
      "content-type": type,
      "content-disposition": `attachment; filename="${file.replace(/["\\\r\n]/g, "_")}"`,
    };
    return sendBlob(world, grant.blob, headers, context.req.header("range") ?? null);
  });
}
