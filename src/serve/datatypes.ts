/** The protocol's datatypes that are served, with ONNX Runtime's name and how JSON values become elements. */
interface Datatype {
  readonly protocol: string;
  readonly onnx: string;
  /** Undefined: at least one value is not of this type. */
  readonly pack: (values: readonly unknown[]) => TensorData | undefined;
}
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | string[];

type NumberArray = new (length: number) => Exclude<TensorData, string[] | BigInt64Array | BigUint64Array>;

function numbers(make: NumberArray, accepts: (value: number) => boolean) {
  return (values: readonly unknown[]): TensorData | undefined => {
    const packed = new make(values.length);
    for (const [i, value] of values.entries()) {
      if (typeof value !== "number" || !accepts(value)) return undefined;
      packed[i] = value;
    }
    return packed;
  };
}

function integers(make: NumberArray, min: number, max: number) {
  return numbers(make, (value) => Number.isInteger(value) && value >= min && value <= max);
}

/** JSON numbers are exact up to 2^53: a larger integer has lost digits before it arrives, and is refused. */
function bigs(make: (length: number) => BigInt64Array | BigUint64Array, min: number) {
  return (values: readonly unknown[]): TensorData | undefined => {
    const packed = make(values.length);
    for (const [i, value] of values.entries()) {
      if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min) return undefined;
      packed[i] = BigInt(value);
    }
    return packed;
  };
}

function booleans(values: readonly unknown[]): TensorData | undefined {
  if (!values.every((value) => typeof value === "boolean")) return undefined;
  return Uint8Array.from(values, Number);
}

function texts(values: readonly unknown[]): TensorData | undefined {
  return values.every((value) => typeof value === "string") ? [...values] : undefined;
}

const DATATYPES: readonly Datatype[] = [
  { protocol: "BOOL", onnx: "bool", pack: booleans },
  { protocol: "UINT8", onnx: "uint8", pack: integers(Uint8Array, 0, 0xff) },
  { protocol: "UINT16", onnx: "uint16", pack: integers(Uint16Array, 0, 0xffff) },
  { protocol: "UINT32", onnx: "uint32", pack: integers(Uint32Array, 0, 0xffff_ffff) },
  { protocol: "UINT64", onnx: "uint64", pack: bigs((length) => new BigUint64Array(length), 0) },
  { protocol: "INT8", onnx: "int8", pack: integers(Int8Array, -0x80, 0x7f) },
  { protocol: "INT16", onnx: "int16", pack: integers(Int16Array, -0x8000, 0x7fff) },
  { protocol: "INT32", onnx: "int32", pack: integers(Int32Array, -0x8000_0000, 0x7fff_ffff) },
  { protocol: "INT64", onnx: "int64", pack: bigs((length) => new BigInt64Array(length), Number.MIN_SAFE_INTEGER) },
  { protocol: "FP32", onnx: "float32", pack: numbers(Float32Array, Number.isFinite) },
  { protocol: "FP64", onnx: "float64", pack: numbers(Float64Array, Number.isFinite) },
  { protocol: "BYTES", onnx: "string", pack: texts },
];

/** ONNX Runtime's name -> the protocol's, or its own name in capitals where the protocol has none. */
export function protocolName(onnx: string): string {
  return DATATYPES.find((type) => type.onnx === onnx)?.protocol ?? onnx.toUpperCase();
}

export function datatype(onnx: string): Datatype | undefined {
  return DATATYPES.find((type) => type.onnx === onnx);
}

/** An element as JSON can say it: NaN and the infinities become null, integers above 2^53 a string of digits. */
export function jsonElement(type: string, value: unknown): number | string | boolean | null {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (type === "bool") return Boolean(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  return typeof value === "string" ? value : null;
}
