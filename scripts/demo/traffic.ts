import { readFileSync } from "node:fs";
import { join } from "node:path";
import { degrade } from "../../pipelines/digits/scanner.ts";
import type { Stage } from "./stage.ts";

/** One labelled image: 64 values from 0 to 16, row by row. */
export interface Image {
  readonly id: string;
  readonly label: string;
  readonly pixels: readonly number[];
}

const BATCH = 50;

/** The example's images, in the order of the file. */
export function images({ clone }: Stage): Image[] {
  const [, ...lines] = readFileSync(join(clone, "data", "digits", "digits.csv"), "utf8").trim().split("\n");
  return lines.map((line) => {
    const [id = "", label = "", ...pixels] = line.split(",");
    return { id, label, pixels: pixels.map(Number) };
  });
}

/** What the model takes the image for. Not logged: it is a question, not traffic. */
export async function infer(url: string, model: string, image: Image): Promise<string> {
  const answer = await ask(url, model, { parameters: { log: false }, inputs: [tensor([image.pixels])] });
  return String(best(answer));
}

interface Traffic {
  /** Whether the scanner is the bad one: blur, noise, low contrast. */
  readonly degraded: boolean;
  readonly seed: number;
  readonly count: number;
}

/** Sends images in batches, then their labels as feedback, and waits until both are in the log. */
export async function sendTraffic(url: string, model: string, stage: Stage, { degraded, seed, count }: Traffic): Promise<{ accuracy: number }> {
  const all = images(stage);
  const chosen = Array.from({ length: count }, (_, index) => all[(index * 7 + seed) % all.length]!);
  let right = 0;
  for (let start = 0; start < chosen.length; start += BATCH) {
    const batch = chosen.slice(start, start + BATCH);
    const id = `scan-${seed}-${start}`;
    const scanned = batch.map((image, index) => (degraded ? degrade(image.pixels, seed * 100_000 + start + index) : image.pixels));
    const answer = await ask(url, model, { id, inputs: [tensor(scanned)] });
    const labels = batch.map((image, index) => ({ id: batch.length === 1 ? id : `${id}:${index}`, label: image.label }));
    right += labels.filter(({ label }, index) => String(best(answer, index)) === label).length;
    await post(`${url}/v2/models/${model}/feedback`, labels);
  }
  await post(`${url}/v2/logs/flush`, {});
  return { accuracy: right / chosen.length };
}

interface Answer {
  readonly outputs: readonly { readonly shape: readonly number[]; readonly data: readonly number[] }[];
}

function tensor(rows: readonly (readonly number[])[]): object {
  return { name: "image", shape: [rows.length, 64], datatype: "FP32", data: rows.flat() };
}

async function ask(url: string, model: string, request: object): Promise<Answer> {
  return (await post(`${url}/v2/models/${model}/infer`, request)) as Answer;
}

/** Index of the largest score of a row. */
function best(answer: Answer, row = 0): number {
  const [output] = answer.outputs;
  const classes = output?.shape[1] ?? 0;
  const scores = output?.data.slice(row * classes, (row + 1) * classes) ?? [];
  return scores.indexOf(Math.max(...scores));
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
