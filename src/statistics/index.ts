export * from "./delong.ts";
export * from "./multiplicity.ts";
export * from "./quantile.ts";
export * from "./random.ts";
export * from "./resampled.ts";
export * from "./shape.ts";
export * from "./special.ts";
