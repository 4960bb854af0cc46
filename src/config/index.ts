export * from "./load.ts";
export * from "./locks.ts";
export * from "./model.ts";
export * from "./pipeline.ts";
export * from "./python.ts";
export * from "./record.ts";
export * from "./settings.ts";
export * from "./values.ts";
