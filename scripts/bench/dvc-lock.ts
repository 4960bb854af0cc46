import { createHash } from "node:crypto";
import { stringify } from "yaml";
import type { Graph } from "./graph.ts";

/**
 * What DVC knows after a run: `dvc.lock`, the outputs and its cache, as files. DVC writes all of its lock again after
 * each stage, so that a first run of 3,000 stages would take it hours.
 */
export function dvcState({ files, stages }: Graph): Record<string, string> {
  const outs = Object.assign({}, ...stages.map((stage) => stage.outs)) as Record<string, string>;
  const entry = (path: string): object => {
    const text = outs[path] ?? files[path]!;
    return { path, hash: "md5", md5: md5(text), size: text.length };
  };
  const locked = stages.map(({ name, cmd, deps, outs: made }) => [
    name,
    { cmd, deps: deps.toSorted().map(entry), outs: Object.keys(made).map(entry) },
  ]);
  const cached = Object.values(outs).map((text) => [`.dvc/cache/files/md5/${md5(text).replace(/^../, "$&/")}`, text]);
  return {
    ...outs,
    ...(Object.fromEntries(cached) as Record<string, string>),
    "dvc.lock": stringify(
      { schema: "2.0", stages: Object.fromEntries(locked) as object },
      { aliasDuplicateObjects: false },
    ),
  };
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
