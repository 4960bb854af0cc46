import { more } from "./detail.ts";
import type { Detail } from "./detail.ts";
import { code, sentence, table } from "./markdown.ts";
import type { ModelReport } from "./schema.ts";
import { servingNote, servingReference, servingRows } from "./serving.ts";

/** What the model takes to serve: latency, throughput and the size of its files. */
export function servingSection({ serving, production }: ModelReport, detail: Detail): string[] {
  if (serving === null) return [];
  const against = servingReference(serving);
  const rows = servingRows(serving, against);
  const only = <T>(what: "base" | "production", cell: T): T[] =>
    [...serving.speed, ...serving.files].some((row) => row[what] !== null) ? [cell] : [];
  const version = `production v${production?.version ?? ""}`;
  const text = table(
    [
      ["serving", "left"],
      ...only("base", ["base", "right"] as const),
      [detail.head, "right"],
      ...only("production", [version, "right"] as const),
      ...(against === null ? [] : [[`against ${against} (95 % interval)`, "left"] as const]),
    ],
    rows
      .slice(0, detail.serving)
      .map((row) => [
        `${row.file ? code(row.name, 60) : row.name}\u00a0${row.direction === "higher" ? "↑" : "↓"}`,
        ...only("base", row.base),
        `**${row.head}**`,
        ...only("production", row.production),
        ...(against === null ? [] : [row.change]),
      ]),
  );
  const note = servingNote(serving);
  return [
    ...(detail.serving === 0 ? [] : [text]),
    ...more(
      rows.length - detail.serving,
      "row of latency, throughput and size",
      "rows of latency, throughput and size",
    ),
    ...(note === null ? [] : [sentence(note)]),
  ];
}
