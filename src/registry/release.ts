import type { ModelLock, ModelVersion } from "../config/index.ts";
import { compareCodeUnits, fileJson, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import { ensureRelease } from "../github/index.ts";
import type { GitHub } from "../github/index.ts";
import type { Records } from "../records/index.ts";
import type { Store } from "../store/index.ts";
import { renderCard } from "./card.ts";
import { productionVersion } from "./models.ts";
import type { Model } from "./models.ts";

/**
 * Publishes the releases that a lock promises: from the newest version down to the first that has one. More than one
 * is missing when a promotion was killed and the next one came before it was run again.
 */
export async function releaseVersions(
  gh: GitHub,
  options: { readonly model: Model; readonly lock: ModelLock; readonly records: Records; readonly store: Store },
): Promise<Result<ReadonlyMap<number, string>>> {
  const { lock } = options;
  const urls = new Map<number, string>();
  for (const version of lock.versions.toSorted((a, b) => b.version - a.version)) {
    const released = await release(gh, version, options);
    if (!released.ok) return released;
    urls.set(version.version, released.value.url);
    if (!released.value.created) break;
  }
  return ok(urls);
}

async function release(
  gh: GitHub,
  version: ModelVersion,
  options: { readonly model: Model; readonly lock: ModelLock; readonly records: Records; readonly store: Store },
): Promise<Result<{ url: string; created: boolean }>> {
  const { model, lock, records, store } = options;
  const assets = [];
  for (const [name, digest] of Object.entries(version.files).sort(([a], [b]) => compareCodeUnits(a, b))) {
    const bytes = await store.read(digest);
    if (!bytes.ok) return bytes;
    assets.push({ name, bytes: bytes.value });
  }
  const card = renderCard(model.name, model.config.value, version);
  const text = (name: string, contentType: string, content: string) => ({
    name,
    contentType,
    bytes: Buffer.from(content),
    descriptive: true,
  });
  assets.push(text("CARD.md", "text/markdown", card));
  const record = await records.trustedStage(version.key);
  if (!record.ok) return record;
  if (record.value !== undefined) assets.push(text("record.json", "application/json", fileJson(record.value)));
  return ensureRelease(gh, {
    tag: version.release,
    commit: version.commit,
    name: `${model.name} v${version.version}`,
    body: card,
    assets,
    latest: productionVersion(lock)?.version === version.version,
  });
}
