export * from "./multiplicity.ts";
export * from "./quantile.ts";
export * from "./random.ts";
export * from "./special.ts";
