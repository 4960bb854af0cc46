import { expect, test } from "vitest";
import type { Key } from "../../../src/store/driver.ts";
import { assetName, parseAssetName } from "../../../src/store/drivers/release/names.ts";
import { parseReleaseUrl } from "../../../src/store/drivers/release/url.ts";
import { value } from "../../helpers/value.ts";
import { failureOf } from "./contract.ts";

const hex = "0123456789abcdef".repeat(4);

test.each<[Key, number, boolean, string]>([
  [`blobs/${hex}`, 1, false, `blobs.${hex}`],
  [`layouts/${hex}`, 2, false, `layouts.${hex}.2`],
  ["gc/condemned", 1, false, "gc.condemned"],
  ["gc/condemned", 12, false, "gc.condemned.12"],
  [`blobs/${hex}`, 1, true, `blobs.${hex}.empty`],
  [`blobs/${hex}`, 3, true, `blobs.${hex}.3.empty`],
])("%s, generation %i, empty %s is the asset %s, and back", (key, generation, empty, name) => {
  expect(assetName({ key, generation, empty })).toBe(name);
  expect(parseAssetName(name)).toEqual({ key, generation, empty });
  // GitHub leaves such a name as it is.
  expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]$/);
});

test.each([
  "README.md",
  `blobs.${hex.toUpperCase()}`,
  `blobs.${hex}0`,
  `blobs.${hex}.0`,
  `blobs.${hex}.01`,
  `blobs.${hex}.bak`,
  `blobs/${hex}`,
  "gc.",
  "gc.../x",
  `packs.${hex}`,
  `blobs.${hex}\n`,
])("%j is somebody else's", (name) => {
  expect(parseAssetName(name)).toBeUndefined();
});

test.each([
  ["release://acme/digits", { owner: "acme", repository: "digits", prefix: "lockstep-store" }],
  ["release://acme/digits/", { owner: "acme", repository: "digits", prefix: "lockstep-store" }],
  ["release://a-b/x.y_z?tag=data.v1", { owner: "a-b", repository: "x.y_z", prefix: "data.v1" }],
])("%s", (url, address) => {
  expect(value(parseReleaseUrl(url))).toEqual(address);
});

test.each([
  "release://acme",
  "release://acme/",
  "release://acme/a/b",
  "release://acme/..",
  "release://acme/a b",
  "release://a:b@acme/x",
  "release://acme/x?tags=y",
  "release://acme/x?tag=",
  "release://acme/x?tag=a..b",
  "release://acme/x?tag=a/b",
  "release://acme/x?tag=-a",
  "release:acme/x",
])("%s is a usage failure", (url) => {
  expect(failureOf(parseReleaseUrl(url))).toMatchObject({ code: "usage", message: expect.stringContaining(url) });
});
