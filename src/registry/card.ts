import type { ModelConfig, ModelVersion } from "../config/index.ts";
import { compareCodeUnits } from "../core/index.ts";

/** `models/<name>/CARD.md`: what the model is, from its lock entry and `model.yaml` alone. */
export function renderCard(model: string, config: ModelConfig, version: ModelVersion): string {
  const metrics = Object.entries(version.metrics).flatMap(([name, value]) => [[name, String(value)]]);
  const heldOut = Object.entries(version.heldOut?.metrics ?? {}).map(([name, value]) => [name, String(value)]);
  const looks = version.heldOut?.looks;
  const params = Object.entries(version.params).flatMap(([file, values]) =>
    Object.entries(values).map(([key, value]) => [`${file}: ${key}`, plain(value)]),
  );
  const data = Object.entries(version.data).map(([name, digest]) => [name, `\`${digest}\``]);
  const files = Object.entries(version.files).map(([name, digest]) => [name, `\`${digest}\``]);
  const pull = version.pullRequest === null ? "" : `, proposed in #${version.pullRequest}`;
  return [
    `# ${cell(model)}, version ${version.version}`,
    ...(config.desc === undefined ? [] : [config.desc.trim()]),
    `Made by pipeline \`${config.pipeline}\` from commit \`${version.commit}\`${pull}. Promoted at ${version.createdAt}`,
    `Verdict against the version before: **${version.verdict}**.`,
    ...Object.entries(config.card ?? {}).flatMap(([field, text]) => section(field, text)),
    ...table("Metrics", ["metric", "value"], metrics),
    ...table("Held-out metrics", ["metric", "value"], heldOut),
    ...(looks === undefined
      ? []
      : [
          `${looks === 1 ? "One promotion has" : `${looks} promotions have`} looked at the held-out examples, this one included.`,
        ]),
    ...table("Parameters", ["parameter", "value"], params),
    ...table("Data", ["dataset", "digest"], data),
    ...table("Files", ["file", "digest"], files),
    ...table(
      "Serving",
      ["what", "is"],
      Object.entries(config.serving ?? {}).map(([key, value]) => [key, plain(value)]),
    ),
    "Written by promotion; edits are lost with the next version.",
    "",
  ].join("\n\n");
}

/** A field of the card, in the order that model.yaml has it; its text may be Markdown, but may not add a heading. */
function section(field: string, text: string): string[] {
  if (text.trim() === "") return [];
  const title = `${field.slice(0, 1).toUpperCase()}${field.slice(1).replaceAll("_", " ")}`;
  const body = text.trim().replace(/^([ \t]{0,3})(?=#|(?:=+|-+)[ \t]*$)/gm, "$1\\");
  return [`## ${title}`, body];
}

function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  const sorted = rows.toSorted(([a = ""], [b = ""]) => compareCodeUnits(a, b));
  return [`## ${title}`, [line(head), `|${head.map(() => "---").join("|")}|`, ...sorted.map(line)].join("\n")];
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Names and values come from files of the repository; none of them may end the table or start markup. */
function cell(text: string): string {
  return text.replace(/[\r\n]+/g, " ").replace(/[\\|<>[\]*_@#]/g, "\\$&");
}
