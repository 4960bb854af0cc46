import type { Section, Settings, View } from "../config/index.ts";

/** What each role reads, in its order: whether it is right; what it means in money and risk; what it takes to run. */
const VIEWS: Readonly<Record<View, readonly Section[]>> = {
  reviewer: ["metrics", "gates", "slices", "flips", "changes", "numbers", "stages", "plots", "reproduce"],
  business: ["stakes", "metrics", "slices", "gates", "stages", "changes", "plots", "reproduce"],
  engineer: ["serving", "stages", "gates", "numbers", "changes", "metrics", "plots", "slices", "flips", "reproduce"],
};

/** What a team's settings ask to be shown: its own list, or a role's. */
export function sectionsOf(settings: Settings | undefined, view?: View): Section[] {
  const { report } = settings ?? {};
  const own = view === undefined ? report?.sections : undefined;
  return [...new Set(own ?? VIEWS[view ?? report?.view ?? "reviewer"])];
}

/** What a section is about: with several models or pipelines, sections of one kind in a row are told one after another. */
type Scope = "model" | "pipeline" | "report";
const SCOPES: Readonly<Record<Section, Scope>> = {
  stakes: "model",
  serving: "model",
  metrics: "model",
  gates: "model",
  slices: "model",
  flips: "model",
  changes: "report",
  numbers: "pipeline",
  stages: "pipeline",
  plots: "report",
  reproduce: "report",
};

/** Sections in a row that are about the same thing. */
export interface Chapter {
  readonly scope: Scope;
  readonly sections: readonly Section[];
  /** It is the first about its models or pipelines: what has to be known of them is told here. */
  readonly first: boolean;
}

export function chapters(sections: readonly Section[]): Chapter[] {
  const made: { scope: Scope; sections: Section[]; first: boolean }[] = [];
  for (const section of sections) {
    const scope = SCOPES[section];
    const last = made.at(-1);
    if (last?.scope === scope) last.sections.push(section);
    else made.push({ scope, sections: [section], first: made.every((chapter) => chapter.scope !== scope) });
  }
  return made;
}
