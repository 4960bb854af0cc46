import type { PredictionRow } from "../monitor/index.ts";
import type { LoadedModel, Signature } from "./model.ts";
import { elements } from "./protocol.ts";
import type { Tensor } from "../onnx/index.ts";

/** A batch as the log keeps it: one row per example, tensors flattened to `<tensor>.<index>` columns. */
export interface Batch {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly rows: readonly PredictionRow[];
}

/** Undefined when the tensors do not share a first axis: then there is no such thing as a row. */
export function toRows(
  model: LoadedModel,
  request: { readonly id: string; readonly time: number },
  feeds: Readonly<Record<string, Tensor>>,
  results: Readonly<Record<string, Tensor>>,
): Batch | undefined {
  const inputs = model.inputs.flatMap(({ name }) => feeds[name] ?? []);
  const outputs = model.outputs.flatMap(({ name }) => results[name] ?? []);
  const [size] = inputs[0]?.dims ?? [];
  if (size === undefined || [...inputs, ...outputs].some(({ dims }) => dims[0] !== size)) return undefined;
  const inputRows = rowsOf(inputs, size);
  const outputRows = rowsOf(outputs, size);
  const predictions = predict(model.signature, results[model.signature.output], size);
  return {
    inputs: model.inputs.flatMap(({ name }) => columns(name, feeds[name])),
    outputs: model.outputs.flatMap(({ name }) => columns(name, results[name])),
    rows: Array.from({ length: size }, (_, i) => ({
      id: rowId(request.id, i, size),
      time: request.time,
      inputs: inputRows[i]!,
      outputs: outputRows[i]!,
      prediction: predictions[i] ?? null,
    })),
  };
}

/** The id feedback names a row by: that of the request, and in a batch its place too. */
export function rowId(request: string, index: number, size: number): string {
  return size === 1 ? request : `${request}:${index}`;
}

function width(tensor: Tensor): number {
  return tensor.dims.slice(1).reduce((product, dim) => product * dim, 1);
}

/** A tensor with one value a row keeps its name; others are numbered in row-major order. */
function columns(name: string, tensor: Tensor | undefined): string[] {
  if (tensor === undefined) return [];
  if (tensor.dims.length === 1) return [name];
  return Array.from({ length: width(tensor) }, (_, i) => `${name}.${i}`);
}

function rowsOf(tensors: readonly Tensor[], size: number): ReturnType<typeof elements>[] {
  const parts = tensors.map((tensor) => ({ values: elements(tensor), width: width(tensor) }));
  return Array.from({ length: size }, (_, i) =>
    parts.flatMap(({ values, width: w }) => values.slice(i * w, (i + 1) * w)),
  );
}

/** Class names by the largest score (or, with one score and two classes, by its half), else the number itself. */
function predict({ classes }: Signature, output: Tensor | undefined, size: number): (string | number | null)[] {
  if (output === undefined) return [];
  const values = elements(output);
  const w = width(output);
  return Array.from({ length: size }, (_, row) => {
    const scores = values.slice(row * w, (row + 1) * w);
    const [first] = scores;
    if (w === 1 && classes?.length !== 2) return typeof first === "boolean" ? String(first) : (first ?? null);
    if (!scores.every((score) => typeof score === "number")) return null;
    if (w === 1) return classes![Number(first) >= 0.5 ? 1 : 0]!;
    let best = 0;
    for (const [i, score] of scores.entries()) if (score > scores[best]!) best = i;
    return classes?.[best] ?? String(best);
  });
}
