import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PIXELS, examplesIn, flatten, readExamples, writeExamples } from "../../pipelines/digits/examples.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "digits-"));
});
afterEach(async () => rm(folder, { recursive: true }));

const pixelNames = Array.from({ length: PIXELS }, (_, at) => `image.${at}`);
const header = ["id", "label", ...pixelNames].join(",");
const line = (id: string, label: string | number, ink = 1): string =>
  [id, label, ...pixelNames.map(() => ink)].join(",");

const bytes = (...lines: string[]): Buffer => Buffer.from(`${lines.join("\n")}\n`);

async function file(name: string, ...lines: string[]): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, bytes(...lines));
  return path;
}

describe("reading the digits", () => {
  it("reads every CSV file below the folder and says where examples are from", () => {
    const examples = examplesIn({
      "digits.csv": bytes(header, line("a", 1), line("b", 2)),
      "feedback/2026-01-01.csv": bytes(header, line("c", 3)),
      "ATTRIBUTION.md": bytes("not a table"),
    });
    expect(examples.map(({ id, label, source }) => [id, label, source])).toEqual([
      ["a", 1, "base"],
      ["b", 2, "base"],
      ["c", 3, "feedback"],
    ]);
  });

  it("lets a later file correct an earlier one", () => {
    const examples = examplesIn({
      "feedback/2026-01-02.csv": bytes(header, line("x", 8)),
      "digits.csv": bytes(header, line("a", 1)),
      "feedback/2026-01-01.csv": bytes(header, line("x", 3)),
    });
    expect(examples.map(({ id, label }) => [id, label])).toEqual([
      ["a", 1],
      ["x", 8],
    ]);
  });

  it("takes columns in any order and leaves others alone", async () => {
    const path = await file(
      "x.csv",
      `time,${pixelNames.toReversed().join(",")},label,id`,
      `9,${"2,".repeat(PIXELS)}4,a`,
    );
    const [example] = await readExamples(path);
    expect(example).toMatchObject({ id: "a", label: 4 });
    expect(example?.pixels).toEqual(Array.from({ length: PIXELS }, () => 2));
  });

  it("reads back what it writes", async () => {
    const examples = await readExamples(await file("x.csv", header, line("a", 1, 0.5), line("b", 9, 16)), "feedback");
    await writeExamples(join(folder, "deep", "y.csv"), examples);
    expect(await readExamples(join(folder, "deep", "y.csv"))).toEqual(examples);
  });

  it("lays images one after the other", async () => {
    const examples = await readExamples(await file("x.csv", header, line("a", 1, 3), line("b", 9, 4)));
    const images = flatten(examples);
    expect([images.length, images[0], images[PIXELS]]).toEqual([2 * PIXELS, 3, 4]);
  });

  it.each([
    ["a label that is no digit", line("b", 10), /x\.csv:3: .*label/s],
    ["an empty id", line("", 1), /x\.csv:3: .*id/s],
    ["a pixel that is too dark", line("b", 1, 17), /x\.csv:3: image\.0 is 17/],
    ["a pixel that is no number", line("b", 1).replace(/1$/, "x"), /x\.csv:3: image\.63 is x/],
    ["a pixel that is empty", line("b", 1).replace(/1$/, ""), /x\.csv:3: image\.63 is/],
    ["a row that is too short", "b,1,2,3", /3/],
  ])("refuses %s", async (_what, row, problem) => {
    const path = await file("x.csv", header, line("a", 1), row);
    await expect(readExamples(path)).rejects.toThrow(problem);
  });

  it("refuses a table without pixels", async () => {
    await expect(readExamples(await file("x.csv", "id,label", "a,1"))).rejects.toThrow(/image\.0 is missing/);
  });

  it("refuses a folder without examples", () => {
    expect(() => examplesIn({ "digits.csv": bytes(header) })).toThrow(/holds no example/);
  });
});
