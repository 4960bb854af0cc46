import { ok } from "../core/index.ts";
import type { Context, DvcDigest, Result } from "../core/index.ts";
import { digestAt, digestIn, digestOfListing, listingOf, readListing } from "../dvc/index.ts";
import type { DvcPlaces, Listing } from "../dvc/index.ts";
import { isInPlace } from "./outputs.ts";
import type { KeyWorld } from "./inputs.ts";
import { isLegacy } from "./seed-outputs.ts";
import { covers } from "./stage.ts";
import type { Placed, Stage } from "./stage.ts";

interface DepSide {
  readonly context: Context;
  readonly world: KeyWorld;
  readonly places: DvcPlaces;
  /** DVC's name of another stage's output, where dvc.lock tells of the very content that the key has. */
  readonly nameOf: (stage: string, path: string) => Promise<Result<DvcDigest | undefined>>;
}

/**
 * True when a dep is what DVC calls `name`: the content that enters the key, not what happens to lie in the working tree.
 * Undefined: that cannot be told, because the content is not here.
 */
export async function isNamed(
  dep: Placed,
  stage: Stage,
  name: DvcDigest,
  side: DepSide,
): Promise<Result<boolean | undefined>> {
  const { context, world, places } = side;
  const { outs, datasets, files } = world.parts(dep, stage);
  const legacy = isLegacy(name);
  const onDisk = async (): Promise<Result<boolean | undefined>> => {
    const there = await digestAt(context, dep.path, { cache: places.cache, legacy });
    return there.ok ? ok(there.value === name) : there;
  };
  const here = world.source.commit === null;
  if (outs.length + datasets.length === 0) {
    if (here) return onDisk();
    const there = await digestIn(world.source, dep.path, legacy);
    return there.ok ? ok(there.value === name) : there;
  }
  const only = outs.length + datasets.length === 1 && !files;
  const part = only
    ? [...outs, ...datasets.map(({ dataset }) => dataset)].find(({ path }) => covers(path, dep.path))
    : undefined;
  if (part !== undefined) {
    const known =
      "stage" in part ? await side.nameOf(part.stage, part.path) : ok("file" in part ? part.digest : undefined);
    if (!known.ok) return known;
    if (known.value !== undefined && isLegacy(known.value) === legacy) {
      const inside = await nameInside(places, known.value, dep.path.slice(part.path.length + 1));
      if (!inside.ok) return inside;
      if (inside.value !== undefined) return ok(inside.value === name);
    }
  }
  // Several parts, or an output that DVC did not make: what stands in place tells, if it is what the key says.
  if (!here) return ok(undefined);
  for (const { stage: maker, path } of outs) {
    const content = world.outOf(maker, path);
    if (content?.kind === undefined) return ok(undefined);
    const there = await isInPlace(context, { ...content, kind: content.kind });
    if (!there.ok) return there;
    if (!there.value) return ok(undefined);
  }
  return onDisk();
}

/** The name of a path in what has this name; undefined: the listing is not here, or has no such path. */
async function nameInside(places: DvcPlaces, name: DvcDigest, path: string): Promise<Result<DvcDigest | undefined>> {
  if (path === "") return ok(name);
  const listing: Result<Listing | undefined> = name.endsWith(".dir") ? await readListing(places, name) : ok(undefined);
  if (!listing.ok || listing.value === undefined) return listing as Result<undefined>;
  const file = listing.value.get(path);
  if (file !== undefined) return ok(`${name.slice(0, name.indexOf(":"))}:${file}` as DvcDigest);
  const folder = listingOf(listing.value, path);
  return ok(folder.size === 0 ? undefined : digestOfListing(folder, isLegacy(name)));
}
