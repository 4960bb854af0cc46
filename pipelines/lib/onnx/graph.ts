import { ATTRIBUTE, ELEMENT, encodeModel } from "./proto.ts";

/** Operators are those of this version of the standard set; files say so, and runtimes keep to it. */
const OPSET = 17;
const IR_VERSION = 8;

export type Attributes = Readonly<Record<string, number | readonly number[]>>;

/** A value that flows between nodes. The batch axis is left out of `shape` and always comes first. */
export interface Value {
  readonly name: string;
  readonly shape: readonly number[];
  /** `last`: the axes are in TensorFlow's order. `first`: rows, columns, channels are stored as channels, rows, columns. */
  readonly channels: "last" | "first";
}

interface Node {
  readonly opType: string;
  readonly input: string[];
  output: string[];
  readonly name: string;
  readonly attribute: object[];
}

/** A network under construction. */
export class Graph {
  readonly #nodes: Node[] = [];
  readonly #constants: object[] = [];

  /** Adds a node with one output and gives the output's name. */
  node(opType: string, input: readonly string[], attributes: Attributes = {}): string {
    const name = `${opType}_${this.#nodes.length}`;
    const attribute = Object.entries(attributes).map(([key, value]) =>
      typeof value === "number"
        ? { name: key, i: value, type: ATTRIBUTE.int }
        : { name: key, ints: [...value], type: ATTRIBUTE.ints },
    );
    this.#nodes.push({ opType, input: [...input], output: [name], name, attribute });
    return name;
  }

  /** Adds a tensor that is part of the file and gives its name. */
  constant(data: Float32Array | readonly number[], dims?: readonly number[]): string {
    const name = `constant_${this.#constants.length}`;
    const floats = data instanceof Float32Array;
    const raw = floats ? data : BigInt64Array.from(data, BigInt);
    this.#constants.push({
      name,
      dims: dims ?? [data.length],
      dataType: floats ? ELEMENT.float32 : ELEMENT.int64,
      rawData: littleEndian(raw),
    });
    return name;
  }

  /** The finished file, with one input and one output of the names given. */
  encode(input: Value, result: Value, outputName: string): Buffer {
    this.#nodes.push({ opType: "Identity", input: [result.name], output: [outputName], name: "result", attribute: [] });
    return encodeModel({
      irVersion: IR_VERSION,
      producerName: "lockstep",
      opsetImport: [{ domain: "", version: OPSET }],
      graph: {
        name: "network",
        node: this.#nodes,
        initializer: this.#constants,
        input: [described(input.name, input.shape)],
        output: [described(outputName, result.shape)],
      },
    });
  }
}

function described(name: string, shape: readonly number[]): object {
  const dim = [{ dimParam: "batch" }, ...shape.map((dimValue) => ({ dimValue }))];
  return { name, type: { tensorType: { elemType: ELEMENT.float32, shape: { dim } } } };
}

/** The format's raw data is little-endian whatever the machine is. */
function littleEndian(values: Float32Array | BigInt64Array): Buffer {
  const bytes = Buffer.alloc(values.byteLength);
  if (values instanceof Float32Array) for (const [at, value] of values.entries()) bytes.writeFloatLE(value, at * 4);
  else for (const [at, value] of values.entries()) bytes.writeBigInt64LE(value, at * 8);
  return bytes;
}
