/** Takes `data` of a folder into its cache and prints what the cache has then; started by a test. */
import os from "node:os";
import { syncBuiltinESMExports } from "node:module";
import type { RelativePath } from "../../src/core/index.ts";
import { contextIn } from "../git/repository.ts";

const threads = process.env["TAKER_THREADS"];
if (threads !== undefined) {
  os.availableParallelism = () => Number(threads);
  syncBuiltinESMExports();
}
const { localCache, snapshot } = await import("../../src/store/index.ts");
const context = contextIn(process.argv[2] ?? "");
const cache = localCache(context);
const taken = await snapshot(context, "data" as RelativePath, cache);
const keys: string[] = [];
for (const kind of ["blobs", "layouts"] as const) for await (const { key } of cache.driver.list(kind)) keys.push(key);
const root = taken.ok ? taken.value.digest : undefined;
const layout = root === undefined ? undefined : await cache.layout(root);
const places = layout?.ok === true ? [...(layout.value?.parts() ?? [])] : [];
process.stdout.write(JSON.stringify({ taken, keys, places }));
