export { parseProfile, profileJson, profileSchema } from "./profile.ts";
export type { Profile, ProfileColumn } from "./profile.ts";
export { binOf, QuantileSketch, quantileEdges } from "./quantiles.ts";
export { sketchTable } from "./sketch.ts";
