import type { ModelConfig } from "../config/index.ts";

/** How a model is evaluated, as `.github/lockstep.yml` says. */
export type Evaluation = ModelConfig["evaluation"];
