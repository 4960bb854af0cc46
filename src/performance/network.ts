import { readFile } from "node:fs/promises";
import { seeded, uniform } from "../statistics/index.ts";
import type { Timed } from "./interleave.ts";
import type { InferenceSession, Ort, Tensor } from "../onnx/index.ts";

/** Rows of a large request, where the network takes any number. */
const BATCH = 32;
/** Values of one made-up input; a network that asks for more is not measured. */
const MOST_VALUES = 2 ** 26;

/** Loads a network as it is served and makes requests up for it: values do not matter to time, shapes do. */
export async function loadTimed(ort: Ort, file: string): Promise<Timed> {
  const session = await ort.InferenceSession.create(await readFile(file), {
    logSeverityLevel: 3,
    // Threads that spin between two requests would take time from the model that is measured next.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
  const rows = session.inputMetadata.some((value) => value.isTensor && typeof value.shape[0] !== "number") ? BATCH : 1;
  const [one, many] = [feeds(ort, session, 1), feeds(ort, session, rows)];
  const fixed = Object.values(one)[0]?.dims[0] ?? 1;
  return { one: () => session.run(one), many: () => session.run(many), rows: rows === 1 ? Math.max(1, fixed) : rows };
}

function feeds(ort: Ort, session: InferenceSession, rows: number): Record<string, Tensor> {
  return Object.fromEntries(
    session.inputMetadata.map((value) => {
      if (!value.isTensor) throw new Error(`its input "${value.name}" is not a tensor`);
      // The first length that is left open is the number of rows; any other is one.
      const dims = value.shape.map((length, at) => (typeof length === "number" ? length : at === 0 ? rows : 1));
      const size = dims.reduce((product, length) => product * length, 1);
      if (!(size <= MOST_VALUES)) throw new Error(`its input "${value.name}" has ${size} values`);
      return [value.name, new ort.Tensor(value.type as "float32", values(value.type, size) as Float32Array, dims)];
    }),
  );
}

function values(type: string, size: number): unknown {
  const random = seeded("lockstep-performance-1");
  switch (type) {
    case "float32":
      return Float32Array.from({ length: size }, () => uniform(random));
    case "float64":
      return Float64Array.from({ length: size }, () => uniform(random));
    case "float16":
      return new Uint16Array(size);
    case "int64":
      return new BigInt64Array(size);
    case "uint64":
      return new BigUint64Array(size);
    case "int32":
      return new Int32Array(size);
    case "uint32":
      return new Uint32Array(size);
    case "int16":
      return new Int16Array(size);
    case "uint16":
      return new Uint16Array(size);
    case "int8":
      return new Int8Array(size);
    case "uint8":
    case "bool":
      return new Uint8Array(size);
    case "string":
      return Array.from({ length: size }, () => "");
    default:
      throw new Error(`an input of type ${type} cannot be made up`);
  }
}
