import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Context } from "../../src/core/index.ts";
import { encodeFeedback, encodePredictions, openLogs } from "../../src/monitor/index.ts";
import type { LogStore, PredictionRow } from "../../src/monitor/index.ts";
import { decodeFeedback, decodePredictions } from "../../src/monitor/rows.ts";
import { durationOf, readWindow } from "../../src/monitor/window.ts";
import { value } from "../helpers/value.ts";

const DAY = 86_400_000;
const noon = Date.parse("2026-03-01T12:00:00Z");
const row = (id: string, time: number): PredictionRow => ({ id, time, inputs: [1], outputs: [0.5], prediction: "a" });

let folder: string;
let logs: LogStore;
let context: Context;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lockstep-logs-"));
  context = { cwd: folder, env: {}, now: () => new Date(noon), fetch, emit: () => {} };
  logs = value(openLogs(context, "file:store"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function append(rows: readonly PredictionRow[], version = 1, model = "m"): Promise<void> {
  const times = rows.map(({ time }) => time);
  const segment = {
    model,
    kind: "predictions" as const,
    rows: rows.length,
    from: Math.min(...times),
    to: Math.max(...times),
  };
  const header = { model, version, inputs: ["x"], outputs: ["y"] };
  value(await logs.append(segment, encodePredictions(header, rows)));
}
async function feedback(id: string, label: string, time: number): Promise<void> {
  const segment = { model: "m", kind: "feedback" as const, rows: 1, from: time, to: time };
  value(await logs.append(segment, encodeFeedback("m", [{ id, time, label }])));
}
async function window(over: object = {}): Promise<{ id: string; label: string | undefined }[]> {
  const found = [];
  for await (const joined of readWindow(logs, { model: "m", since: new Date(noon - DAY), maxRows: 100, ...over })) {
    const { row: each, label } = value(joined);
    found.push({ id: each.id, label });
  }
  return found;
}

describe("the log", () => {
  it("lists a window's segments, newest first, across days and models", async () => {
    await append([row("old", noon - 2 * DAY)]);
    await append([row("edge", noon - 2 * DAY), row("edge2", noon - DAY)]);
    await append([row("b", noon)]);
    await append([row("other", noon)], 1, "n");
    const segments = value(await logs.list("m", "predictions", new Date(noon - DAY)));
    expect(segments.map(({ to, rows }) => [to, rows])).toEqual([
      [noon, 1],
      [noon - DAY, 2],
    ]);
    expect(value(await logs.list("m", "feedback", new Date(0)))).toEqual([]);
    expect(value(await logs.list("nobody", "predictions", new Date(0)))).toEqual([]);
    const rows = value(decodePredictions(value(await logs.read(segments[0]!)))).rows;
    expect(rows).toEqual([row("b", noon)]);
  });

  it("appends once what is appended twice, and ignores names that are not its own", async () => {
    await append([row("a", noon)]);
    await append([row("a", noon)]);
    const day = join(folder, "store/logs/v1/m/2026-03-01");
    expect(await readdir(day)).toHaveLength(1);
    await writeFile(join(day, "predictions.1-2.x.abc"), "");
    await writeFile(join(folder, "store/logs/v1/m/README"), "");
    expect(value(await logs.list("m", "predictions", new Date(0)))).toHaveLength(1);
  });

  it("is named only after the bytes are there", async () => {
    await append([row("a", noon)]);
    const [segment] = value(await logs.list("m", "predictions", new Date(0)));
    await rm(join(folder, "store/v1"), { recursive: true });
    expect(await logs.read(segment!)).toMatchObject({ failures: [{ code: "blob-missing" }] });
  });

  it("refuses damaged segments", () => {
    const good = encodePredictions({ model: "m", version: 1, inputs: ["x"], outputs: ["y"] }, [row("a", 1)]).toString();
    expect(decodePredictions(Buffer.from(good)).ok).toBe(true);
    for (const bad of [
      "",
      "{}",
      good.slice(0, -4),
      good.replace('"inputs":[1]', '"inputs":[1,2]'),
      good.replace('"a"', '"<a>"'),
    ]) {
      expect(decodePredictions(Buffer.from(bad))).toMatchObject({ failures: [{ code: "external" }] });
    }
    expect(decodeFeedback(encodeFeedback("m", [{ id: "../x", time: 1, label: "l" }])).ok).toBe(false);
  });
});

describe("a window", () => {
  it("joins the newest label, counts an id once and keeps to its bounds", async () => {
    await append([row("a", noon - 1000), row("b", noon - 900), row("early", noon - DAY - 1)]);
    await append([row("a", noon - 500), row("v2", noon - 400)], 2);
    await feedback("a", "first", noon + 10);
    await feedback("a", "corrected", noon + 20);
    await feedback("unknown", "x", noon);
    expect(await window()).toEqual([
      { id: "v2", label: undefined },
      { id: "a", label: "corrected" },
      { id: "b", label: undefined },
    ]);
    expect((await window({ version: 1 })).map(({ id }) => id)).toEqual(["b", "a"]);
    expect((await window({ maxRows: 2 })).map(({ id }) => id)).toEqual(["v2", "a"]);
  });

  it("is as long as it says", () => {
    expect(durationOf("36h")).toBe(1.5 * DAY);
    expect(durationOf("7d")).toBe(7 * DAY);
  });
});
