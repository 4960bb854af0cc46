import type { Digest } from "../core/index.ts";
import { fail, ok } from "../core/index.ts";
import type { Result } from "../core/index.ts";
import type { InferenceSession, Ort } from "../onnx/index.ts";

/** How a model is used: part of `serving` in model.yaml. */
export interface Signature {
  /** The tensor that makes a request's row in the log; a model may have others. */
  readonly input: string;
  readonly output: string;
  /** Class names in the order of the output's last axis. */
  readonly classes?: readonly string[] | undefined;
}

/** A model version as it is to be served. */
export interface ServedModel {
  readonly name: string;
  readonly version: number;
  readonly digest: Digest;
  /** The ONNX file, verified. */
  readonly onnx: Uint8Array;
  readonly signature: Signature;
  /** Share of requests that are logged, 0 to 1. */
  readonly logSample: number;
}

export interface TensorInfo {
  readonly name: string;
  /** Element type as ONNX Runtime names it (`float32`). */
  readonly type: string;
  /** -1 where any length is taken. */
  readonly shape: readonly number[];
}

export interface LoadedModel extends ServedModel {
  readonly session: InferenceSession;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** Loads the network and checks that the signature speaks of tensors it has. */
export async function loadModel(ort: Ort, model: ServedModel): Promise<Result<LoadedModel>> {
  const broken = (problem: string): Result<LoadedModel> =>
    fail({ code: "external", what: `model "${model.name}" version ${model.version}`, problem });
  let session: InferenceSession;
  try {
    session = await ort.InferenceSession.create(model.onnx, { logSeverityLevel: 3 });
  } catch (error) {
    return broken(`ONNX Runtime does not load it: ${error instanceof Error ? error.message : String(error)}`);
  }
  const inputs = describe(session.inputMetadata);
  const outputs = describe(session.outputMetadata);
  const { input, output } = model.signature;
  if (!inputs.some(({ name }) => name === input)) return broken(`it has no input "${input}" (${names(inputs)})`);
  if (!outputs.some(({ name }) => name === output)) return broken(`it has no output "${output}" (${names(outputs)})`);
  return ok({ ...model, session, inputs, outputs });
}

function describe(metadata: readonly InferenceSession.ValueMetadata[]): TensorInfo[] {
  return metadata.flatMap((value) =>
    value.isTensor
      ? [{ name: value.name, type: value.type, shape: value.shape.map((dim) => (typeof dim === "number" ? dim : -1)) }]
      : [],
  );
}

function names(tensors: readonly TensorInfo[]): string {
  return tensors.map(({ name }) => name).join(", ");
}
