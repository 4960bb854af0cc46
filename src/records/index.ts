export { openRecords } from "./open.ts";
export type { PublishOutcome, Published, Records, RecordsOptions } from "./records.ts";
export { runPath, stagePath } from "./paths.ts";
export { recordsOptions } from "./settings.ts";
