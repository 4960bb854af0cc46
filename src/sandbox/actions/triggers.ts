import type { EventsConfig } from "@actions/workflow-parser/model/workflow-template";
import type { TriggerEvent } from "../world.ts";
import { matches } from "./patterns.ts";

interface Filter {
  readonly types?: readonly string[];
  readonly branches?: readonly string[];
  readonly "branches-ignore"?: readonly string[];
  readonly tags?: readonly string[];
  readonly "tags-ignore"?: readonly string[];
  readonly paths?: readonly string[];
  readonly "paths-ignore"?: readonly string[];
  readonly workflows?: readonly string[];
}

/** Events that happen in the sandbox; `on:` of any other starts nothing. */
export const HAPPENING: ReadonlySet<string> = new Set([
  "push",
  "pull_request",
  "pull_request_target",
  "issues",
  "issue_comment",
  "workflow_run",
  "workflow_dispatch",
  "repository_dispatch",
  "schedule",
]);

/** Types an event has where the file names none. */
const DEFAULT_TYPES: Readonly<Record<string, readonly string[]>> = {
  pull_request: ["opened", "synchronize", "reopened"],
  pull_request_target: ["opened", "synchronize", "reopened"],
};

function branchAllowed(filter: Filter, branch: string): boolean {
  if (filter.branches !== undefined) return matches(filter.branches, branch);
  const ignored = filter["branches-ignore"];
  return ignored === undefined || !matches(ignored, branch);
}

function pathsAllowed(filter: Filter, event: TriggerEvent): boolean {
  const { changedPaths } = event;
  // Without a list (first push of a branch, say) the filter lets the run through, as GitHub does.
  if (changedPaths === undefined) return true;
  const { paths } = filter;
  if (paths !== undefined) return changedPaths.some((path) => matches(paths, path));
  const ignored = filter["paths-ignore"];
  return ignored === undefined || changedPaths.some((path) => !matches(ignored, path));
}

function pushAllowed(filter: Filter, event: TriggerEvent): boolean {
  if (event.payload["deleted"] === true) return false;
  const hasBranches = filter.branches !== undefined || filter["branches-ignore"] !== undefined;
  const hasTags = filter.tags !== undefined || filter["tags-ignore"] !== undefined;
  if (event.ref.startsWith("refs/tags/")) {
    // Filters for branches alone mean that tags start nothing, and the other way round. Paths are not for tags.
    if (hasBranches && !hasTags) return false;
    const tag = event.ref.slice("refs/tags/".length);
    if (filter.tags !== undefined) return matches(filter.tags, tag);
    const ignored = filter["tags-ignore"];
    return ignored === undefined || !matches(ignored, tag);
  }
  if (hasTags && !hasBranches) return false;
  return branchAllowed(filter, event.ref.replace(/^refs\/heads\//u, "")) && pathsAllowed(filter, event);
}

const inner = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>(
    (at, key) => (at !== null && typeof at === "object" ? (at as Record<string, unknown>)[key] : undefined),
    value,
  );
const string = (value: unknown): string => (typeof value === "string" ? value : "");

/** Whether a workflow's `on:` answers an event. `path` is that workflow's own file. */
export function triggered(on: EventsConfig, path: string, event: TriggerEvent): boolean {
  const filter = on[event.name] as Filter | undefined;
  if (filter === undefined) return false;
  const types = filter.types ?? DEFAULT_TYPES[event.name];
  if (types !== undefined && event.action !== undefined && !types.includes(event.action)) return false;
  switch (event.name) {
    case "push":
      return pushAllowed(filter, event);
    case "pull_request":
    case "pull_request_target":
      return (
        branchAllowed(filter, string(inner(event.payload, "pull_request", "base", "ref"))) &&
        pathsAllowed(filter, event)
      );
    case "workflow_run": {
      const name = string(inner(event.payload, "workflow", "name"));
      const branch = string(inner(event.payload, "workflow_run", "head_branch"));
      return (filter.workflows ?? []).some((wanted) => matches([wanted], name)) && branchAllowed(filter, branch);
    }
    case "schedule":
      return (on.schedule ?? []).some(({ cron }) => cron === event.schedule);
    case "workflow_dispatch": {
      const wanted = string(event.payload["workflow"]);
      return wanted === "" || wanted === path || `.github/workflows/${wanted}` === path;
    }
    default:
      return true;
  }
}

const FROM_THE_EVENTS_COMMIT = new Set([
  "push",
  "pull_request",
  "workflow_dispatch",
  "create",
  "release",
  "deployment",
]);

/** Whether an event takes its workflow files from its own commit; others take them from the default branch. */
export function usesOwnCommit(name: string): boolean {
  return FROM_THE_EVENTS_COMMIT.has(name);
}

const SKIP = /\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]/u;

/** Whether a commit message asks for no push or pull request runs. */
export function asksToSkip(message: string): boolean {
  return SKIP.test(message);
}
