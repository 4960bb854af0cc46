import { z } from "zod";
import { body, numberParam, page, reply, type Call } from "../http/call.ts";
import { ApiError, validationFailed } from "../http/errors.ts";
import type { Routes } from "../http/route.ts";
import type { Label } from "../world.ts";
import { issueByNumber } from "./find.ts";
import { labelsJson } from "./shape.ts";

const NewLabel = z.object({
  name: z.string().min(1),
  color: z.string().optional(),
  description: z.string().optional(),
});
const LabelName = z.union([z.string(), z.object({ name: z.string() }).transform(({ name }) => name)]);
const Labels = z.object({ labels: z.array(LabelName) });
const DEFAULT_COLOR = "ededed";

function addLabel(call: Call, wanted: z.infer<typeof NewLabel>): Label {
  const label: Label = {
    id: call.world.nextId(),
    name: wanted.name,
    color: wanted.color ?? DEFAULT_COLOR,
    description: wanted.description ?? null,
  };
  call.repository.labels.push(label);
  call.world.touch();
  return label;
}

/** Labels that an issue is given and that the repository lacks come into being. */
export function ensureLabels(call: Call, names: readonly string[]): void {
  for (const name of names) {
    if (!call.repository.labels.some((label) => label.name === name)) addLabel(call, { name });
  }
}

const json = (call: Call, names: readonly string[]) => labelsJson(call.world, call.repository, names);

/** Names are compared without regard to case, as on GitHub. */
function find(call: Call, name: string): Label | undefined {
  return call.repository.labels.find((label) => label.name.toLowerCase() === name.toLowerCase());
}

export const labelRoutes: Routes = {
  "GET /repos/{owner}/{repo}/labels": (call) =>
    page(
      call,
      json(
        call,
        call.repository.labels.map(({ name }) => name),
      ),
    ),
  "POST /repos/{owner}/{repo}/labels": (call) => {
    const wanted = body(call, NewLabel);
    if (find(call, wanted.name) !== undefined) {
      throw validationFailed({ resource: "Label", code: "already_exists", field: "name" });
    }
    return reply(201, json(call, [addLabel(call, wanted).name])[0]);
  },
  "GET /repos/{owner}/{repo}/labels/{name}": (call) => {
    const label = find(call, call.params["name"] ?? "");
    if (label === undefined) throw new ApiError(404, "Not Found");
    return reply(200, json(call, [label.name])[0]);
  },
  "GET /repos/{owner}/{repo}/issues/{issue_number}/labels": (call) =>
    page(call, json(call, issueByNumber(call, numberParam(call, "issue_number"), "read").labels)),
  "POST /repos/{owner}/{repo}/issues/{issue_number}/labels": (call) => {
    const issue = issueByNumber(call, numberParam(call, "issue_number"), "write");
    const { labels } = body(call, Labels);
    ensureLabels(call, labels);
    issue.labels = [...new Set([...issue.labels, ...labels])];
    issue.updatedAt = call.world.clock.timestamp();
    call.world.touch();
    return reply(200, json(call, issue.labels));
  },
  "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}": (call) => {
    const issue = issueByNumber(call, numberParam(call, "issue_number"), "write");
    const name = call.params["name"] ?? "";
    if (!issue.labels.includes(name)) throw new ApiError(404, "Label does not exist");
    issue.labels = issue.labels.filter((label) => label !== name);
    issue.updatedAt = call.world.clock.timestamp();
    call.world.touch();
    return reply(200, json(call, issue.labels));
  },
};
