/** GitHub's limits on a workflow (https://docs.github.com/actions/reference/limits), and what is done at each. */
export const LIMITS = {
  /** Jobs of one matrix; a larger group of stages becomes several jobs of the file. */
  matrix: 256,
  /** Bytes of a workflow file; a larger one is refused by `compile`. */
  file: 500 * 1024,
  /** UTF-16 units that the outputs of one job may take (1 MB); over it no stage is left out of its job's matrix. */
  outputs: 500_000,
  /** Characters of a job's id. */
  jobId: 100,
  /** Minutes of a job on a runner of GitHub, also the time of a stage that has no `timeout`. */
  hostedMinutes: 360,
  /** Minutes of a job on a self-hosted runner. */
  selfHostedMinutes: 5 * 24 * 60,
} as const;
