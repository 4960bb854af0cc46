export { measureSpeed } from "./measure.ts";
export type { MeasureOptions, Network } from "./measure.ts";
