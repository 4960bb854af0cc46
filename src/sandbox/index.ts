export type * from "./world.ts";
export type { Exchange, Observer } from "./observe.ts";
export type { NewRepository } from "./repository/create.ts";
export { startSandbox } from "./start.ts";
export type { Sandbox, SandboxOptions } from "./start.ts";
