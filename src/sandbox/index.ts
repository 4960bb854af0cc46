export type * from "./world.ts";
export { startSandbox } from "./start.ts";
export type { Sandbox, SandboxOptions } from "./start.ts";
export { fireSchedules } from "./schedule.ts";
export type { Schedule } from "./schedule.ts";
