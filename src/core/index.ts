export * from "./attempt.ts";
export * from "./brands.ts";
export * from "./canonical.ts";
export * from "./context.ts";
export * from "./describe.ts";
export * from "./event.ts";
export * from "./failure.ts";
export * from "./result.ts";
