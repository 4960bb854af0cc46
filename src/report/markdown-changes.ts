import { more } from "./detail.ts";
import type { Detail } from "./detail.ts";
import { count, shortDigest } from "./format.ts";
import { code, details, table } from "./markdown.ts";
import type { Report } from "./schema.ts";

/** What goes into the pipelines and differs: data and parameters value by value, and the files of the repository. */
export function changesSection(report: Report, detail: Detail): string[] {
  const { pipelines, files } = report;
  const params = pipelines.reduce((sum, one) => sum + one.params.length, 0);
  const data = pipelines.reduce((sum, one) => sum + one.data.length, 0);
  const changed = files?.count ?? 0;
  if (params + data + changed === 0) return [];
  if (detail.changes === 0) {
    const tally = [
      count(params, "parameter"),
      count(data, "dataset"),
      ...(changed === 0 ? [] : [count(changed, "file")]),
    ];
    return [`Changed: ${tally.join(", ")}.`];
  }
  return [...(params + data === 0 ? [] : [values(report, detail)]), ...fileList(files, detail)];
}

function values({ pipelines }: Report, detail: Detail): string {
  const rows = pipelines.flatMap(({ name, params, data }) => {
    const of = pipelines.length > 1 ? ` of ${code(name, 40)}` : "";
    return [
      ...data.map((one) => [`data ${code(one.name)}${of}`, digest(one.base), digest(one.head)]),
      ...params.map(({ key, file, base, head }) => [
        `${code(key)}${file === "params.yaml" ? "" : ` in ${code(file)}`}${of}`,
        base === null ? "–" : code(base, 80),
        head === null ? "–" : code(head, 80),
      ]),
    ];
  });
  const text = table(
    [
      ["changed", "left"],
      ["base", "left"],
      [detail.head, "left"],
    ],
    rows.slice(0, detail.changes),
  );
  return [text, ...more(rows.length - detail.changes, "change")].join("\n\n");
}

function digest(value: string | null): string {
  return value === null ? "–" : code(shortDigest(value));
}

function fileList(files: Report["files"], detail: Detail): string[] {
  if (files === null || files.count === 0) return [];
  const summary = `Files: ${files.count} changed`;
  if (detail.files === 0) return [`${summary}.`];
  const shown = files.named.slice(0, detail.files).map(({ path, change }) => `- ${code(path)} ${change}`);
  return [details(summary, [shown.join("\n"), ...more(files.count - shown.length, "file")].join("\n\n"))];
}
