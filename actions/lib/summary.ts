import type { ResultDocument } from "../../src/config/index.ts";
import { fit, LIMITS } from "../../src/github/limits.ts";

/** The job's own summary of what ran. The comparison is the report's; this says what this machine did. */
export function runSummary(document: ResultDocument): string {
  const parts = document.runs.map((run) =>
    [
      `### ${code(run.pipeline)}`,
      "",
      "| stage | | seconds | why |",
      "|---|---|---|---|",
      ...run.stages.map(
        ({ stage, status, ms, reason }) =>
          `| ${code(stage)} | ${status} | ${status === "run" ? (ms / 1000).toFixed(1) : ""} | ${code(reason)} |`,
      ),
      "",
      ...Object.entries(run.metrics).flatMap(([file, numbers]) =>
        Object.entries(numbers).map(([name, value]) => `- ${code(`${file} ${name}`)}: ${value}`),
      ),
    ].join("\n"),
  );
  const failures = document.failures.map((failure) => `${"~".repeat(8)}text\n${failure}\n${"~".repeat(8)}`);
  // The limit counts bytes; a character has at most four, three of which this leaves room for.
  return fit([...parts, ...failures].join("\n\n"), LIMITS.stepSummary / 4);
}

/** Names and reasons come from a pull request's files: as code they cannot be anything else. */
function code(text: string): string {
  const escaped = text.replace(/\s+/g, " ").replace(/[^A-Za-z0-9 ._/-]/gu, (sign) => `&#${sign.codePointAt(0)};`);
  return `<code>${escaped}</code>`;
}
