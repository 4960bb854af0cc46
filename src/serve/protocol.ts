import { z } from "zod";
import type { InferenceSession, Ort, Tensor } from "../onnx/index.ts";
import { datatype, jsonElement, protocolName } from "./datatypes.ts";
import type { LoadedModel, TensorInfo } from "./model.ts";

/** A request that cannot be answered, in words for whoever sent it. `status` is an HTTP status. */
export interface Refusal {
  readonly status: 400 | 404 | 422;
  readonly error: string;
}
export type Parsed<T> = { readonly value: T } | { readonly refusal: Refusal };

const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const requestSchema = z.object({
  id: z.string().optional(),
  parameters: parameters.optional(),
  inputs: z
    .array(
      z.object({
        name: z.string(),
        shape: z.array(z.number().int().min(0)).max(16),
        datatype: z.string(),
        parameters: parameters.optional(),
        data: z.array(z.unknown()),
      }),
    )
    .min(1)
    .max(100),
  outputs: z
    .array(z.object({ name: z.string(), parameters: parameters.optional() }))
    .max(100)
    .optional(),
});
export type InferRequest = z.infer<typeof requestSchema>;

/** The body of an inference request; unknown members are left alone, as the protocol's extensions ask for. */
export function parseRequest(body: unknown): Parsed<InferRequest> {
  const parsed = requestSchema.safeParse(body);
  if (parsed.success) return { value: parsed.data };
  const [issue] = parsed.error.issues;
  return refuse(
    `${issue?.path.map(String).join(".") || "the request"}: ${issue?.message ?? "not an inference request"}`,
  );
}

function refuse(error: string, status: Refusal["status"] = 400): { refusal: Refusal } {
  return { refusal: { status, error } };
}

/** The request's tensors, checked against what the network takes: names, datatypes, shapes and element counts. */
export function toFeeds(ort: Ort, model: LoadedModel, request: InferRequest): Parsed<Record<string, Tensor>> {
  const feeds: Record<string, Tensor> = {};
  for (const input of request.inputs) {
    const info = model.inputs.find(({ name }) => name === input.name);
    if (info === undefined) return refuse(`the model has no input "${input.name}"; it has ${list(model.inputs)}`);
    if (Object.hasOwn(feeds, info.name)) return refuse(`input "${info.name}" is given twice`);
    const tensor = toTensor(ort, info, input);
    if ("refusal" in tensor) return tensor;
    feeds[info.name] = tensor.value;
  }
  const missing = model.inputs.filter(({ name }) => !Object.hasOwn(feeds, name));
  if (missing.length > 0) return refuse(`input ${list(missing)} is missing`);
  for (const { name } of request.outputs ?? []) {
    if (model.outputs.some((output) => output.name === name)) continue;
    return refuse(`the model has no output "${name}"; it has ${list(model.outputs)}`);
  }
  return { value: feeds };
}

function toTensor(ort: Ort, info: TensorInfo, input: InferRequest["inputs"][number]): Parsed<Tensor> {
  const where = `input "${info.name}"`;
  const type = datatype(info.type);
  if (type === undefined) return refuse(`${where} is of type ${info.type}, which is not served`, 422);
  if (input.datatype !== type.protocol)
    return refuse(`${where} takes datatype ${type.protocol}, not ${short(input.datatype)}`);
  const fits =
    input.shape.length === info.shape.length && info.shape.every((dim, i) => dim < 0 || dim === input.shape[i]);
  if (!fits) return refuse(`${where} takes shape [${info.shape.join(",")}], not [${input.shape.join(",")}]`);
  const flat = Array.isArray(input.data[0]) ? flatten(input.data, input.shape) : input.data;
  const size = input.shape.reduce((product, dim) => product * dim, 1);
  if (flat === undefined || flat.length !== size) {
    return refuse(`${where}: data does not hold the ${size} elements of shape [${input.shape.join(",")}]`);
  }
  if (size === 0) return refuse(`${where} is empty`);
  const packed = type.pack(flat);
  if (packed === undefined) return refuse(`${where}: an element is not a ${type.protocol}`);
  return { value: new ort.Tensor(info.type as "float32", packed as Float32Array, input.shape) };
}

/** Nested arrays in row-major order; undefined when their lengths are not those of the shape. */
function flatten(data: readonly unknown[], shape: readonly number[]): unknown[] | undefined {
  const [length, ...rest] = shape;
  if (data.length !== length) return undefined;
  if (rest.length === 0) return [...data];
  const flat: unknown[] = [];
  for (const part of data) {
    const inner = Array.isArray(part) ? flatten(part, rest) : undefined;
    if (inner === undefined) return undefined;
    for (const value of inner) flat.push(value);
  }
  return flat;
}

/** The answer to an inference request. */
export interface InferResponse {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string;
  readonly outputs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly datatype: string;
    readonly data: readonly (number | string | boolean | null)[];
  }[];
}

export function toResponse(
  model: LoadedModel,
  id: string,
  results: InferenceSession.OnnxValueMapType,
  wanted: readonly string[] | undefined,
): InferResponse {
  const names = wanted ?? model.outputs.map(({ name }) => name);
  return {
    model_name: model.name,
    model_version: String(model.version),
    id,
    outputs: names.flatMap((name) => {
      const tensor = results[name] as Tensor | undefined;
      return tensor === undefined
        ? []
        : [{ name, shape: tensor.dims, datatype: protocolName(tensor.type), data: elements(tensor) }];
    }),
  };
}

export function elements(tensor: Tensor): (number | string | boolean | null)[] {
  return Array.from(tensor.data as ArrayLike<unknown>, (value) => jsonElement(tensor.type, value));
}

/** `GET /v2/models/<name>` */
export function metadata(model: LoadedModel, versions: readonly number[]): object {
  const tensors = (infos: readonly TensorInfo[]): object[] =>
    infos.map(({ name, type, shape }) => ({ name, datatype: protocolName(type), shape }));
  return {
    name: model.name,
    versions: versions.map(String),
    platform: "onnxruntime_onnx",
    inputs: tensors(model.inputs),
    outputs: tensors(model.outputs),
  };
}

function list(tensors: readonly TensorInfo[]): string {
  return tensors.map(({ name }) => `"${name}"`).join(", ");
}

function short(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
