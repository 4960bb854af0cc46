import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporary } from "../git/repository.ts";
import { readPredictions } from "../../src/metrics/index.ts";
import { BINARY } from "./helpers.ts";

const ROWS = 3_000_000;

/** A table as it comes from a disk: about a megabyte at a time, none of it kept. */
async function* csv(): AsyncGenerator<Uint8Array> {
  let text = "id,label,prediction,score,region,band\n";
  for (let row = 0; row < ROWS; row++) {
    text += `user-${row},${row % 2},${row % 3 === 0 ? 1 : 0},${(row % 9973) / 9973},region-${row % 7},band-${row % 5}\n`;
    if (text.length < 1_000_000) continue;
    yield Buffer.from(text);
    text = "";
  }
  yield Buffer.from(text);
}

test("3 million rows take less than 200 bytes each", { timeout: 300_000 }, async () => {
  const before = process.resourceUsage().maxRSS;
  const read = await readPredictions({
    file: "p.csv",
    bytes: csv(),
    evaluation: { ...BINARY, slices: ["region", "band"] },
  });
  const grown = (process.resourceUsage().maxRSS - before) * 1024;
  expect(read.ok && [read.value.ids.length, read.value.ids.at(ROWS - 1)]).toEqual([ROWS, `user-${ROWS - 1}`]);
  // What V8 keeps of the texts that the test makes does not grow with the rows: 150 MB are its.
  expect((grown - 150e6) / ROWS).toBeLessThan(200);
});

test("read from a store, a file of 300 MB takes no more: nothing holds its bytes", { timeout: 300_000 }, () => {
  using folder = temporary();
  const bench = join(import.meta.dirname, "..", "..", "scripts", "bench", "read");
  // Processes of their own: this one's peak is that of all tests.
  execFileSync(process.execPath, [join(bench, "make.ts"), folder.path, "jsonl", `${ROWS}`]);
  execFileSync(process.execPath, [join(bench, "ours.ts"), folder.path, "jsonl"]);
  const read = JSON.parse(readFileSync(join(folder.path, "read.json"), "utf8")) as Record<string, number | string>;
  expect(read).toMatchObject({ rows: ROWS, last: `user-${ROWS - 1}` });
  // A row is 105 bytes of the file.
  expect((Number(read["peak"]) - 150e6) / ROWS).toBeLessThan(100);
});
