import { Hono } from "hono";
import { sendBlob } from "../blobs.ts";
import type { Observer } from "../observe.ts";
import { mountOidc } from "../oidc.ts";
import { mountArtifacts } from "../results/artifacts.ts";
import { mountBlobs } from "../results/blob-routes.ts";
import { mountCache } from "../results/cache.ts";
import type { World } from "../world.ts";
import { mountGit } from "./git.ts";
import { handleRest } from "./rest.ts";

/** Everything the sandbox answers but its pages: API, uploads, git, results service, identity tokens, its own clock. */
export function createApp(world: World, observer: Observer | undefined): Hono {
  const app = new Hono();
  // An exception here is a bug of the sandbox: its story goes to whoever called.
  app.onError((error) => Response.json({ message: `Server Error: ${error.stack}` }, { status: 500 }));
  for (const prefix of ["/api/v3", "/api/uploads"]) {
    app.all(`${prefix}/*`, async (context) => handleRest(world, context.req.raw, prefix, observer));
  }
  mountGit(app, world);
  mountCache(app, world);
  mountArtifacts(app, world);
  mountBlobs(app, world);
  mountOidc(app, world);
  mountDownloads(app, world);
  app.post("/_sandbox/clock", async (context) => {
    const { advanceMs }: { advanceMs?: unknown } = await context.req.json();
    if (typeof advanceMs !== "number" || !(advanceMs >= 0)) {
      return context.json({ message: "advanceMs must be a number of milliseconds, 0 or more" }, 422);
    }
    await world.moveClock(new Date(world.clock.now().getTime() + advanceMs));
    return context.json({ now: world.clock.now().toISOString() });
  });
  return app;
}

/** Release assets by the address that their page shows. */
function mountDownloads(app: Hono, world: World): void {
  app.get("/:owner/:name/releases/download/:tag/:asset", async (context) => {
    const { owner, name, tag, asset } = context.req.param();
    const repository = world.repositories.get(`${owner}/${name}`);
    const release = repository?.releases.find((other) => !other.draft && other.tagName === tag);
    const found = release?.assets.find((other) => other.name === asset);
    if (found === undefined || found.starter === true) return context.notFound();
    found.downloads += 1;
    world.touch();
    return sendBlob(world, found.blob, { "content-type": found.contentType });
  });
}
