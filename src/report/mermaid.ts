import type { PipelineReport } from "./schema.ts";

/** More boxes than this are no picture any more. */
const MOST = 40;

/** The graph of a run, each stage in the colour of what happened to it; undefined when it would be too large. */
export function mermaid(stages: PipelineReport["stages"]): string | undefined {
  if (stages.length < 2 || stages.length > MOST) return undefined;
  const ids = new Map(stages.map(({ stage }, index) => [stage, `s${index}`]));
  const boxes = stages.map(({ stage, status }) => `  ${ids.get(stage)}["${label(stage)}"]:::${status}`);
  const arrows = stages.flatMap(({ stage, needs }) =>
    needs.flatMap((need) => (ids.has(need) ? [`  ${ids.get(need)} --> ${ids.get(stage)}`] : [])),
  );
  return [
    "flowchart LR",
    ...boxes,
    ...arrows,
    "  classDef run fill:#dbeafe,stroke:#2563eb,color:#1e3a8a",
    "  classDef cached fill:#f3f4f6,stroke:#9ca3af,color:#374151",
    "  classDef failed fill:#fee2e2,stroke:#dc2626,color:#7f1d1d",
    "  classDef skipped fill:#ffffff,stroke:#d1d5db,color:#6b7280,stroke-dasharray:4",
  ].join("\n");
}

/** Names are from the repository; a label, in quotes, keeps what cannot end it or mean anything to Mermaid. */
export function label(name: string): string {
  const plain = name
    .replace(/[^A-Za-z0-9 ._-]/g, "_")
    .slice(0, 40)
    .trim();
  // "end" is a word of Mermaid's own that breaks a flowchart even inside of some labels.
  if (plain.toLowerCase() === "end") return `${plain} `;
  return plain === "" ? "_" : plain;
}
