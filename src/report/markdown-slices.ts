import { arrow, more } from "./detail.ts";
import type { Detail } from "./detail.ts";
import { count, formatChange, formatValue, unbroken } from "./format.ts";
import { code, details, sentence, table } from "./markdown.ts";
import type { SliceReport, SliceRow } from "./slices.ts";

/** Slices worst first, folded unless one is shown to be worse; and what was found by looking. */
export function sliceSection(slices: SliceReport, detail: Detail): string {
  const hurt = slices.rows.filter(({ verdict }) => verdict === "worse");
  const worse = new Set(hurt.map(({ slice }) => `${slice.column}=${slice.value}`)).size;
  const summary = `Slices: ${slices.count} compared, ${worse === 0 ? "none shown to be worse" : `${worse} worse`}`;
  if (detail.slices === 0) return `${summary}.`;
  const rows = slices.rows.slice(0, detail.slices);
  const parts = [
    ...(rows.length === 0 ? [] : [rowTable(rows, detail)]),
    ...more(slices.rows.length - rows.length + slices.left, "row"),
    ...(slices.tooMany.length === 0
      ? []
      : [
          `Not compared, for they have too many values: ${slices.tooMany
            .slice(0, 5)
            .map((name) => code(name, 40))
            .join(", ")}.`,
        ]),
    ...search(slices),
  ];
  return details(summary, parts.join("\n\n"), worse > 0);
}

function rowTable(rows: readonly SliceRow[], detail: Detail): string {
  return table(
    [
      ["slice", "left"],
      ["examples", "right"],
      ["metric", "left"],
      ["base", "right"],
      [detail.head, "right"],
      ["difference (95 % interval)", "left"],
      ["verdict", "left"],
    ],
    rows.map((row) => [
      code(`${row.slice.column}=${row.slice.value}`, 60),
      String(row.examples),
      `${code(row.name, 40)}${arrow(row)}`,
      unbroken(formatValue(row.base, row.unit)),
      `**${unbroken(formatValue(row.head, row.unit))}**`,
      change(row),
      row.verdict === "worse"
        ? "🔴\u00a0worse"
        : row.verdict === "better"
          ? "🟢\u00a0better"
          : row.verdict === null
            ? sentence(row.note ?? "–")
            : "⚪\u00a0no\u00a0evidence",
    ]),
  );
}

function change({ difference, interval, unit }: SliceRow): string {
  const text = unbroken(formatChange(difference, unit));
  if (interval === null) return text;
  return `${text} (${unbroken(formatChange(interval[0], unit))} to ${unbroken(formatChange(interval[1], unit))})`;
}

function search({ search: found }: SliceReport): string[] {
  if (found === null || found.found.length === 0) return [];
  const rows = found.found.map(({ parts, examples, inside, outside }) => [
    code(parts.map(({ column, value }) => `${column}=${value}`).join(" and "), 100),
    String(examples),
    formatChange(inside),
    formatChange(outside),
  ]);
  return [
    `**Found by looking (exploration, FDR 5 %).** Change of the ${sentence(found.loss)}, in the slice and outside of it; ${count(found.looked, "slice")} looked at.`,
    table(
      [
        ["slice", "left"],
        ["examples", "right"],
        ["inside", "right"],
        ["outside", "right"],
      ],
      rows,
    ),
  ];
}
