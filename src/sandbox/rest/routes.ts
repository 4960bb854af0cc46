import type { Routes } from "../http/route.ts";
import { artifactRoutes } from "./artifacts.ts";
import { assetRoutes } from "./assets.ts";
import { checkRoutes } from "./checks.ts";
import { commentRoutes } from "./comments.ts";
import { commitRoutes } from "./commits.ts";
import { contentRoutes } from "./contents.ts";
import { deploymentRoutes } from "./deployments.ts";
import { dispatchRoutes } from "./dispatches.ts";
import { gitObjectRoutes } from "./git-objects.ts";
import { gitRefRoutes } from "./git-refs.ts";
import { issueRoutes } from "./issues.ts";
import { labelRoutes } from "./labels.ts";
import { pullRoutes } from "./pulls.ts";
import { releaseRoutes } from "./releases.ts";
import { repositoryRoutes } from "./repositories.ts";
import { runRoutes } from "./runs.ts";
import { statusRoutes } from "./statuses.ts";
import { variableRoutes } from "./variables.ts";

/** Every route of the API; what each asks of its caller is in `permissions.ts`. */
export const ROUTES: Routes = {
  ...repositoryRoutes,
  ...pullRoutes,
  ...issueRoutes,
  ...commentRoutes,
  ...labelRoutes,
  ...checkRoutes,
  ...statusRoutes,
  ...releaseRoutes,
  ...assetRoutes,
  ...gitObjectRoutes,
  ...gitRefRoutes,
  ...contentRoutes,
  ...commitRoutes,
  ...runRoutes,
  ...artifactRoutes,
  ...dispatchRoutes,
  ...deploymentRoutes,
  ...variableRoutes,
};
