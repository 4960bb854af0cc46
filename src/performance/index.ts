export { measureSpeed } from "./measure.ts";
export type { MeasureOptions, Network } from "./measure.ts";
export { loadRuntime } from "./runtime.ts";
export type { InferenceSession, Ort, Tensor } from "./runtime.ts";
