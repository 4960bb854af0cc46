import { Command } from "commander";
import { ok } from "../../core/index.ts";
import type { Edge } from "../command.ts";
import { initialise } from "../init.ts";
import { packageRoot } from "../package-root.ts";

const NEXT = `
Next:
  npx lockstep run                    run the first pipeline here
  git add -A && git commit && git push
  open a pull request that changes pipelines/first/params.json, for example "degree": 3

Each pull request then gets a comment with what changed and whether it is better. On GitHub, allow Actions to create
pull requests (Settings, Actions, General) so that drift can propose a retraining, and set the repository variable
LOCKSTEP_STORE when runners do not share the folder that .github/lockstep.yml names.`;

export function build(edge: Edge): Command {
  return new Command("init")
    .summary("add workflows, settings and a first pipeline to this repository")
    .description("Adds the workflows of the loop, .github/lockstep.yml and a first pipeline. Never overwrites a file.")
    .action(async () => {
      const result = await initialise(edge.context().cwd, packageRoot());
      if (!result.ok) return edge.out.answer(result);
      const { written, kept } = result.value;
      const lines = [...written.map((file) => `  wrote  ${file}`), ...kept.map((file) => `  kept   ${file}`)];
      edge.out.answer(ok({ json: result.value, text: `${lines.join("\n")}\n${NEXT}` }));
    });
}
