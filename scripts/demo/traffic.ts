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

/** Requests at a time. */
const ABREAST = 20;

/** The example's images, in the order of the file. */
export function images({ clone }: Stage): Image[] {
  const [, ...lines] = readFileSync(join(clone, "data", "digits", "digits.csv"), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => {
    const [id = "", label = "", ...pixels] = line.split(",");
    return { id, label, pixels: pixels.map(Number) };
  });
}

/** What the model takes the image for. Not logged: it is a question, not traffic. */
export async function infer(url: string, model: string, image: Image): Promise<string> {
  const answer = await ask(url, model, { parameters: { log: false }, inputs: [tensor(image.pixels)] });
  return String(best(answer));
}

interface Traffic {
  /** Share of the images that come from the worn scanner: blur, noise, low contrast. */
  readonly worn: number;
  readonly seed: number;
  readonly count: number;
}

/** Sends images one by one, then their labels as feedback, and waits until both are in the log. */
export async function sendTraffic(
  url: string,
  model: string,
  stage: Stage,
  traffic: Traffic,
): Promise<{ accuracy: number }> {
  const { worn, seed, count } = traffic;
  const all = images(stage);
  let right = 0;
  const send = async (index: number): Promise<void> => {
    const image = all[(index * 7 + seed) % all.length]!;
    // The image's own id comes first: a scan of an image of the test set must stay in the test set.
    const id = `${image.id}--scan-${seed}-${index}`;
    const pixels =
      Math.floor((index + 1) * worn) > Math.floor(index * worn)
        ? degrade(image.pixels, seed * 100_000 + index)
        : image.pixels;
    if (String(best(await ask(url, model, { id, inputs: [tensor(pixels)] }))) === image.label) right++;
    await post(`${url}/v2/models/${model}/feedback`, { id, label: image.label });
  };
  for (let start = 0; start < count; start += ABREAST) {
    await Promise.all(
      Array.from({ length: Math.min(ABREAST, count - start) }, async (_, offset) => send(start + offset)),
    );
  }
  await post(`${url}/v2/logs/flush`, {});
  return { accuracy: right / count };
}

interface Answer {
  readonly outputs: readonly { readonly data: readonly number[] }[];
}

function tensor(pixels: readonly number[]): object {
  return { name: "image", shape: [1, pixels.length], datatype: "FP32", data: pixels };
}

async function ask(url: string, model: string, request: object): Promise<Answer> {
  return (await post(`${url}/v2/models/${model}/infer`, request)) as Answer;
}

/** Index of the largest score. */
function best(answer: Answer): number {
  const scores = answer.outputs[0]?.data ?? [];
  return scores.indexOf(Math.max(...scores));
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
