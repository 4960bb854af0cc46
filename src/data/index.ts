export { addData } from "./add.ts";
export type { AddedData } from "./add.ts";
export { DATA_LOCK, datasetAt, loadDataLock, saveDataLock } from "./lock.ts";
export { pullData, pushData, verifyData } from "./move.ts";
export type { PulledData, PushedData, VerifiedData } from "./move.ts";
export { statusData } from "./status.ts";
export type { DatasetState, DatasetStatus } from "./status.ts";
