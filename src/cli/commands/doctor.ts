import { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Edge } from "../command.ts";

const SIGN = { ok: "✓", missing: "-", failed: "✗" } as const;

export function build(edge: Edge): Command {
  return new Command("doctor")
    .summary("check git, store, files and tools, and say how to mend each")
    .description(
      "Looks at what the loop needs on this machine and in this repository. Exit code 1 when something is broken.",
    )
    .action(async () => {
      const { examine } = await import("../doctor.ts");
      const checks = await examine(edge.context(), process.version);
      const lines = checks.map(({ name, state, detail, mend }) => {
        const text = `${SIGN[state]} ${name.padEnd(11)}${detail.replaceAll("\n", "\n    ")}`;
        return mend === undefined ? text : `${text}\n    mend: ${mend}`;
      });
      const failed = checks.some((check) => check.state === "failed");
      edge.out.answer(ok({ json: { checks }, text: lines.join("\n"), exitCode: failed ? 1 : 0 }));
    });
}
