import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seeded, uniform } from "../../../src/statistics/index.ts";
import type { Predictions } from "../../../src/metrics/index.ts";

/** What both programs compute. */
export const METRICS = ["accuracy", "precision", "f1", "roc_auc", "log_loss", "brier"];
export const SLICES = 20;

/** Writes both sides' columns as bytes, without any format that one of the programs would read faster. */
export function writeSides(folder: string, rows: number): void {
  mkdirSync(folder, { recursive: true });
  const random = seeded("bench-verdict");
  const label = new Uint8Array(rows);
  const slice = new Int32Array(rows);
  const scores = { base: new Float64Array(rows), head: new Float64Array(rows) };
  for (let row = 0; row < rows; row++) {
    label[row] = uniform(random) < 0.3 ? 1 : 0;
    slice[row] = Math.floor(uniform(random) * SLICES);
    const hard = uniform(random);
    for (const [side, skill] of [
      ["base", 0.3],
      ["head", 0.302],
    ] as const) {
      const noise = 0.7 * hard + 0.3 * uniform(random);
      scores[side][row] = 0.01 + 0.98 * (skill * (label[row] as number) + (1 - skill) * noise);
    }
  }
  writeFileSync(join(folder, "label"), label);
  writeFileSync(join(folder, "slice"), new Uint8Array(slice.buffer));
  for (const side of ["base", "head"] as const) writeFileSync(join(folder, side), new Uint8Array(scores[side].buffer));
}

/** One side as the product holds it after reading a file. */
export function readSide(folder: string, side: "base" | "head"): Predictions {
  const bytes = (name: string): ArrayBuffer => {
    const file = readFileSync(join(folder, name));
    return file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength) as ArrayBuffer;
  };
  const label = new Uint8Array(bytes("label"));
  const score = new Float64Array(bytes(side));
  const values = Array.from({ length: SLICES }, (_, slice) => `s${slice}`);
  return {
    task: "binary",
    digest: `sha256:${side}` as Predictions["digest"],
    ids: { length: label.length, at: (row) => (row < label.length ? `e${row}` : undefined) },
    weight: null,
    group: null,
    slices: { slice: { values, code: new Int32Array(bytes("slice")) } },
    numbers: {},
    preview: {},
    label,
    prediction: Uint8Array.from(score, (value) => (value >= 0.5 ? 1 : 0)),
    score,
  };
}
