/** A few messages of ONNX's protobuf, enough to write small networks for tests. Field numbers are those of onnx.proto. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

const number = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field: number, content: Uint8Array | string): Buffer => {
  const body = Buffer.from(content);
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
};

const FLOAT = 1;
const BATCH = "batch";

function tensor(name: string, dims: readonly number[], values: readonly number[]): Buffer {
  const data = new Uint8Array(Float32Array.from(values).buffer);
  return Buffer.concat([...dims.map((dim) => number(1, dim)), number(2, FLOAT), bytes(8, name), bytes(9, data)]);
}

function valueInfo(name: string, dims: readonly (number | string)[], type = FLOAT): Buffer {
  const shape = dims.map((dim) => bytes(1, typeof dim === "number" ? number(1, dim) : bytes(2, dim)));
  return Buffer.concat([
    bytes(1, name),
    bytes(2, bytes(1, Buffer.concat([number(1, type), bytes(2, Buffer.concat(shape))]))),
  ]);
}

function node(op: string, inputs: readonly string[], outputs: readonly string[]): Buffer {
  return Buffer.concat([
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, op),
  ]);
}

function model(graph: readonly Buffer[]): Buffer {
  return Buffer.concat([
    number(1, 8),
    bytes(7, Buffer.concat(graph)),
    bytes(8, Buffer.concat([bytes(1, ""), number(2, 13)])),
  ]);
}

/** softmax(x W): input `input` [batch, rows of W], output `probabilities` [batch, columns of W]. */
export function softmaxNetwork(input: string, weights: readonly (readonly number[])[]): Buffer {
  const width = weights.length;
  const classes = weights[0]!.length;
  return model([
    bytes(1, node("MatMul", [input, "w"], ["scores"])),
    bytes(1, node("Softmax", ["scores"], ["probabilities"])),
    bytes(2, "softmax"),
    bytes(5, tensor("w", [width, classes], weights.flat())),
    bytes(11, valueInfo(input, [BATCH, width])),
    bytes(12, valueInfo("probabilities", [BATCH, classes])),
  ]);
}

/** y = identity(x) of one element type of ONNX (7 is int64, 8 string, 9 bool, 11 float64), shape [batch]. */
export function identityNetwork(type: number): Buffer {
  return model([
    bytes(1, node("Identity", ["x"], ["y"])),
    bytes(2, "identity"),
    bytes(11, valueInfo("x", [BATCH], type)),
    bytes(12, valueInfo("y", [BATCH], type)),
  ]);
}
