import { fail, type Result } from "../../core/index.ts";
import { git } from "../repository/git.ts";
import type { Repository } from "../world.ts";
import { parseWorkflowFile, type Workflow } from "./workflow.ts";

const FOLDER = ".github/workflows/";

/** A file's parse result by the id of its blob and its path: the same text is read once. */
const parsed = new Map<string, Result<Workflow>>();

/** The workflow files of a commit, each with what its text means; in order of their paths. */
export async function workflowsAt(repository: Repository, commit: string): Promise<Map<string, Result<Workflow>>> {
  const listing = await git(repository, ["ls-tree", "-z", commit, FOLDER]);
  const found = new Map<string, Result<Workflow>>();
  for (const line of listing.split("\0")) {
    const [meta = "", path = ""] = line.split("\t");
    const [, type, blob = ""] = meta.split(" ");
    if (type !== "blob" || !/\.ya?ml$/u.test(path)) continue;
    const key = `${blob} ${path}`;
    let result = parsed.get(key);
    if (result === undefined) {
      result = parseWorkflowFile(path, await git(repository, ["cat-file", "blob", blob]));
      parsed.set(key, result);
    }
    found.set(path, result);
  }
  return found;
}

/** One workflow file of a commit. */
export async function loadWorkflow(repository: Repository, commit: string, path: string): Promise<Result<Workflow>> {
  const known = (await workflowsAt(repository, commit)).get(path);
  return known ?? fail({ code: "file-missing", path, neededBy: `commit ${commit}` });
}
