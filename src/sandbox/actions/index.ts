export { checkDispatch } from "./dispatch.ts";
export { startExecutor } from "./executor.ts";
export type { ActionsExecutor, ExecutorOptions } from "./executor.ts";
export { loadWorkflow } from "./source.ts";
export { parseWorkflowFile } from "./workflow.ts";
export type { Workflow as WorkflowFile } from "./workflow.ts";
