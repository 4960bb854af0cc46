import { beforeAll, describe, expect, it } from "vitest";
import fc from "fast-check";
import { PIXELS, readExamples } from "../../pipelines/digits/examples.ts";
import type { Example } from "../../pipelines/digits/examples.ts";
import { jitter } from "../../pipelines/digits/augment.ts";
import { inkBand } from "../../pipelines/digits/ink.ts";
import { degrade, scanned } from "../../pipelines/digits/scanner.ts";
import { splitOf } from "../../pipelines/digits/split.ts";
import { random, shuffle } from "../../pipelines/lib/random.ts";

let examples: Example[];
beforeAll(async () => {
  examples = await readExamples("data/digits/digits.csv");
});

const image = fc.array(fc.integer({ min: 0, max: 16 }), { minLength: PIXELS, maxLength: PIXELS });
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("the worn scanner", () => {
  it("gives whole numbers from 0 to 16, the same for the same seed, and leaves its input alone", () => {
    fc.assert(
      fc.property(image, fc.integer(), fc.double({ min: 0, max: 3, noNaN: true }), (pixels, seed, severity) => {
        const before = [...pixels];
        const seen = degrade(pixels, seed, severity);
        expect(seen).toHaveLength(PIXELS);
        expect(seen.every((value) => Number.isInteger(value) && value >= 0 && value <= 16)).toBe(true);
        expect(degrade(pixels, seed, severity)).toEqual(seen);
        expect(pixels).toEqual(before);
      }),
    );
  });

  it("gives the same pixels in every version", () => {
    const ramp = Array.from({ length: PIXELS }, (_, at) => at % 17);
    expect(degrade(ramp, 42).slice(0, 16)).toEqual([2, 3, 2, 4, 3, 2, 4, 4, 2, 4, 2, 2, 4, 6, 5, 4]);
  });

  it("changes nothing at severity 0", () => {
    fc.assert(
      fc.property(image, fc.integer(), (pixels, seed) => {
        expect(degrade(pixels, seed, 0)).toEqual(pixels);
      }),
    );
  });

  it("is another picture with another seed", () => {
    const pixels = examples[0]?.pixels ?? [];
    expect(degrade(pixels, 1)).not.toEqual(degrade(pixels, 2));
  });

  it("darkens paper and pales ink: what a drift check can see", () => {
    const clean = examples.slice(0, 300);
    const worn = clean.map(({ pixels }, seed) => degrade(pixels, seed));
    const corner = (images: readonly (readonly number[])[]): number => mean(images.map((pixels) => pixels[0] ?? 0));
    const darkest = (images: readonly (readonly number[])[]): number =>
      mean(images.map((pixels) => Math.max(...pixels)));
    const before = clean.map(({ pixels }) => pixels);
    expect(corner(worn)).toBeGreaterThan(corner(before) + 0.5);
    expect(darkest(worn)).toBeLessThan(darkest(before) - 4);
  });
});

describe("labelled examples from the worn scanner", () => {
  it("keeps labels, gives each picture its own id and leaves it in its source's split", () => {
    const params = { seed: 1, test_share: 0.3, validation_share: 0.1 };
    const train = examples.filter(({ id }) => splitOf(id, params) === "train");
    const worn = scanned(train, { count: 2 * train.length + 5, seed: 7 });
    expect(worn).toHaveLength(2 * train.length + 5);
    expect(new Set(worn.map(({ id }) => id)).size).toBe(worn.length);
    expect(worn.every(({ id }) => splitOf(id, params) === "train")).toBe(true);
    const labels = new Map(train.map(({ id, label }) => [id, label]));
    expect(worn.every(({ id, label }) => labels.get(id.split("--")[0] ?? "") === label)).toBe(true);
  });

  it("is the same for the same seed and another one for another", () => {
    const some = examples.slice(0, 20);
    expect(scanned(some, { count: 10, seed: 1 })).toEqual(scanned(some, { count: 10, seed: 1 }));
    expect(scanned(some, { count: 10, seed: 1 })).not.toEqual(scanned(some, { count: 10, seed: 2 }));
  });

  it("is empty when there is nothing to draw from", () => {
    expect(scanned([], { count: 10, seed: 1 })).toEqual([]);
  });
});

describe("augmentation", () => {
  it("is the image itself at strength 0, and never adds ink beyond the darkest pixel", () => {
    fc.assert(
      fc.property(image, fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (pixels, seed, strength) => {
        const [same, moved] = [new Float32Array(PIXELS), new Float32Array(PIXELS)];
        jitter(pixels, 0, same, 0, 0, random(seed));
        expect([...same]).toEqual(pixels);
        jitter(pixels, 0, moved, 0, strength, random(seed));
        expect(Math.max(...moved)).toBeLessThanOrEqual(Math.max(...pixels) + 1e-4);
        expect(Math.min(...moved)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

it("bands of ink hold about a third of the published images each", () => {
  const share = (band: string): number =>
    examples.filter(({ pixels }) => inkBand(pixels) === band).length / examples.length;
  for (const band of ["light", "medium", "heavy"]) expect(share(band)).toBeCloseTo(1 / 3, 1);
});

describe("seeded randomness", () => {
  it("shuffles without losing anything", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 })), fc.integer(), (values, seed) => {
        const items = Int32Array.from(values);
        shuffle(items, random(seed));
        expect([...items].toSorted((a, b) => a - b)).toEqual(values.toSorted((a, b) => a - b));
      }),
    );
  });

  it("has the moments that it says", () => {
    const source = random(5);
    const normals = Array.from({ length: 20_000 }, () => source.normal());
    const uniform = Array.from({ length: 20_000 }, () => source.next());
    expect(mean(normals)).toBeCloseTo(0, 1);
    expect(mean(normals.map((value) => value * value))).toBeCloseTo(1, 1);
    expect(mean(uniform)).toBeCloseTo(0.5, 1);
    expect(uniform.every((value) => value >= 0 && value < 1)).toBe(true);
  });
});
