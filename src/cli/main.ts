import { Command, CommanderError } from "commander";
import { fail } from "../core/index.ts";
import type { ExitCode } from "../core/index.ts";
import type { CommandModule } from "./command.ts";
import { createEdge } from "./edge.ts";

/** Every command, with what help says of it. Only the one that is asked for is loaded. */
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<CommandModule> }>> = {
  init: { summary: "add workflows, settings and a first pipeline", load: () => import("./commands/init.ts") },
  doctor: { summary: "check git, store, files and tools", load: () => import("./commands/doctor.ts") },
  run: { summary: "run what changed", load: () => import("./commands/run.ts") },
  plan: { summary: "say what would run and why, without data", load: () => import("./commands/plan.ts") },
  status: { summary: "say which stages and datasets changed", load: () => import("./commands/status.ts") },
  data: { summary: "track, move and check datasets", load: () => import("./commands/data.ts") },
  repro: { summary: "run again what a record says, and compare", load: () => import("./commands/repro.ts") },
  runs: { summary: "look at the records", load: () => import("./commands/runs.ts") },
  dag: { summary: "draw the graph of a pipeline", load: () => import("./commands/dag.ts") },
  compile: { summary: "write the graph as a workflow, one job a stage", load: () => import("./commands/compile.ts") },
  metrics: { summary: "print the metrics of the last run", load: () => import("./commands/metrics.ts") },
  params: { summary: "print the parameters each stage reads", load: () => import("./commands/params.ts") },
  compare: {
    summary: "say whether a change is better, with the evidence",
    load: () => import("./commands/compare.ts"),
  },
  report: { summary: "write the report of any two revisions or versions", load: () => import("./commands/report.ts") },
  model: { summary: "look at the registry, fetch and choose versions", load: () => import("./commands/model.ts") },
  serve: { summary: "answer inference requests for a version of a model", load: () => import("./commands/serve.ts") },
  image: { summary: "build serving images", load: () => import("./commands/image.ts") },
  deploy: { summary: "put a version of a model to work in an environment", load: () => import("./commands/deploy.ts") },
  drift: { summary: "compare production with training", load: () => import("./commands/drift.ts") },
  retrain: { summary: "add labelled requests to the dataset of a model", load: () => import("./commands/retrain.ts") },
  sandbox: { summary: "start a local GitHub to try the loop on", load: () => import("./commands/sandbox.ts") },
};

/** Runs one command line (without `node` and the script). The exit code is the only way it tells how it went. */
export async function main(args: readonly string[]): Promise<ExitCode> {
  const program = new Command("lockstep")
    .description("A GitHub repository as the whole MLOps platform.")
    .option("--json", "one JSON document on stdout")
    .option("--cwd <dir>", "stand in this folder")
    .option("--quiet", "warnings, failures and the answer only")
    .option("--verbose", "more about what is done")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command");
  const { operands } = program.parseOptions([...args]);
  const wanted = operands[0] === "help" ? operands[1] : operands[0];
  const edge = createEdge(program.opts());
  try {
    for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
      program.addCommand(name === wanted ? (await load()).build(edge) : new Command(name).summary(summary));
    }
    prepare(program);
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) return edge.bug(error);
    if (error.exitCode === 0) return 0;
    if (error.code !== "commander.help") edge.out.answer(fail(usage(error.message)));
    else process.stderr.write(program.helpInformation());
    return 2;
  } finally {
    edge.close();
  }
  return edge.exitCode();
}

/** Makes commander throw in place of ending the process, and leaves what it would print on a mistake to us. */
function prepare(command: Command): void {
  command.exitOverride().configureOutput({ writeErr: () => {} });
  command.commands.forEach(prepare);
}

/** Commander's sentence as a failure; its guess at what was meant becomes the hint. */
function usage(text: string): { code: "usage"; message: string; hint: string } {
  const [message = "", guess] = text.replace(/^error: /, "").split("\n");
  return { code: "usage", message, hint: guess?.replace(/^\((.*)\)$/, "$1") ?? "`lockstep help` lists the commands" };
}
