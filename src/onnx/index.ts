export { loadRuntime } from "./runtime.ts";
export type { InferenceSession, Ort, Tensor } from "./runtime.ts";
