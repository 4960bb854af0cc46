import type { Report } from "./schema.ts";

/** What to type to get the same result; empty where there is none. */
export function reproduceCommands({ state, pipelines, head, base, pullRequest }: Report): string[] {
  if (state !== "compared") return [];
  return [
    ...(pullRequest === null ? [] : [`git fetch origin pull/${pullRequest}/head`]),
    ...(head.commit === null ? [] : [`git checkout ${head.commit}`]),
    ...pipelines.slice(0, 5).map(({ name }) => `npx lockstep run ${name}`),
    ...(base.commit === null ? [] : [`npx lockstep compare ${base.commit.slice(0, 12)}`]),
  ];
}
