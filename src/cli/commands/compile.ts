import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { all, attempt, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { compile, EXPERIMENT, hasWorkflow } from "../../pipeline/index.ts";
import type { Compiled } from "../../pipeline/index.ts";
import type { Answer, Edge } from "../command.ts";
import { packageRoot } from "../package-root.ts";
import { choosePipelines } from "../pipelines.ts";
import { printable } from "../text.ts";

interface Options {
  readonly check?: boolean;
  readonly stdout?: boolean;
}

export function build(edge: Edge): Command {
  return new Command("compile")
    .summary("write the graph as a workflow, one job a stage")
    .description(
      "Writes .github/workflows/lockstep-<pipeline>.yml: each stage a job of its own, on as many runners as there are.",
    )
    .argument("[pipeline]", "name of the pipeline; when absent those that have such a workflow, or all if none has")
    .option("--check", "write nothing; exit with 1 when a workflow is not up to date")
    .option("--stdout", "print the workflow, write nothing")
    .action(async (pipeline: string | undefined, options: Options) => {
      edge.out.answer(await compilePipelines(edge.context(), pipeline, options));
    });
}

async function compilePipelines(context: Context, name: string | undefined, options: Options): Promise<Result<Answer>> {
  const chosen = await choosePipelines(context, name);
  if (!chosen.ok) return chosen;
  const { source, pipelines } = chosen.value;
  const template = await readFile(join(packageRoot(), EXPERIMENT), "utf8");
  const there = await Promise.all(pipelines.map((pipeline) => hasWorkflow(source, pipeline.name)));
  const known = pipelines.filter((_, at) => there[at]!.ok && there[at]!.value);
  const made = all(
    await Promise.all((known.length > 0 ? known : pipelines).map((one) => compile(source, one, template))),
  );
  if (!made.ok) return made;
  const wanted = made.value;
  if (options.stdout === true) {
    const texts = wanted.map(({ pipeline, file, text }) => ({ pipeline, file, text }));
    return ok({ json: { workflows: texts }, text: texts.map(({ text }) => text.trimEnd()).join("\n---\n") });
  }
  const stale = wanted.filter(({ text, before }) => text !== before);
  if (options.check !== true) {
    for (const { file, text } of stale) {
      const written = await write(join(context.cwd, file), text);
      if (!written.ok) return written;
    }
  }
  return ok(answer(wanted, options));
}

async function write(path: string, text: string): Promise<Result<void>> {
  return attempt(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  });
}

function answer(compiled: readonly Compiled[], { check = false }: Options): Answer {
  const told = compiled.map((one) => ({ ...one, current: one.text === one.before }));
  const lines = told.map((one) => {
    if (one.current) return `${one.file} is up to date`;
    return check ? stale(one) : `${one.file} written`;
  });
  return {
    json: {
      workflows: told.map(({ pipeline, file, current }) => ({ pipeline, file, current, written: !current && !check })),
    },
    text: lines.join("\n"),
    exitCode: check && told.some(({ current }) => !current) ? 1 : 0,
  };
}

/** Where a workflow begins to differ from what it should be. */
function stale({ pipeline, file, text, before }: Compiled): string {
  const fix = `\`lockstep compile ${pipeline}\` writes it`;
  if (before === undefined) return `${file} is not there; ${fix}`;
  const [is, should] = [before.split("\n"), text.split("\n")];
  const at = should.findIndex((line, index) => line !== is[index]);
  const first = at < 0 ? should.length : at;
  const lines = [["-", is[first]] as const, ["+", should[first]] as const].flatMap(([sign, line]) =>
    line === undefined ? [] : [`  ${sign} ${printable(line)}`],
  );
  return [`${file}:${first + 1}: not up to date; ${fix}`, ...lines].join("\n");
}
