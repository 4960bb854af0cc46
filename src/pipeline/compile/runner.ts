import type { Settings } from "../../config/index.ts";
import { fail, ok } from "../../core/index.ts";
import type { Result } from "../../core/index.ts";
import type { Stage } from "../stage.ts";
import { literal, quoted } from "./expression.ts";
import { LIMITS } from "./limits.ts";

const HOSTED = "ubuntu-latest";
/** Holds when the code that runs is not from a fork. */
const OWN =
  "(github.event_name != 'pull_request' || github.event.pull_request.head.repo.full_name == github.repository)";
/** Minutes that a job has besides its stage: checkout, installing, moving inputs and outputs. */
const AROUND = 60;

type Runners = Settings["runners"];

/** `runs-on` of a job without a stage, and of stages that ask for nothing: as in the experiment's own workflow. */
export function defaultRunner(runners: Runners): string {
  return ownOnly(`(vars.LOCKSTEP_RUNNER || ${quoted(JSON.stringify(runners?.cpu ?? HOSTED))})`);
}

/** `runs-on` of a stage. Code of a fork never meets a runner that is not GitHub's. */
export function runnerOf(stage: Stage, runners: Runners): Result<string> {
  const gpu = wantsGpu(stage);
  const wanted = stage.runsOn.length > 0 ? stage.runsOn : gpu ? [runners?.gpu ?? []].flat() : [];
  const [only, ...others] = wanted;
  if (only !== undefined) {
    if (others.length === 0 && isHosted(only)) return ok(only);
    return ok(ownOnly(quoted(JSON.stringify(others.length === 0 ? only : wanted))));
  }
  if (!gpu) return ok(defaultRunner(runners));
  const message = `stage "${stage.name}" wants a GPU, and nothing says which runners have one`;
  const hint = "`runners: {gpu: [self-hosted, gpu]}` in .github/lockstep.yml, or `runs-on` in the stage";
  return fail({ code: "usage", message, hint });
}

/** The container of a stage that names an image; on runners of the team's own it sees the machine's GPUs. */
export function containerOf(stage: Stage): { image: string; options?: string } | undefined {
  const { image } = stage.env;
  if (image === null) return undefined;
  return {
    image: literal(image),
    ...(wantsGpu(stage) ? { options: `\${{ ${OWN} && '--gpus all' || '' }}` } : {}),
  };
}

/** Enough for every try of every command, so that a stage that takes too long is told as that by its own log. */
export function minutesOf({ timeoutMs, cmd, retry }: Stage): number {
  if (timeoutMs === null) return LIMITS.hostedMinutes;
  return Math.min(
    LIMITS.selfHostedMinutes,
    Math.ceil((timeoutMs * Math.max(1, cmd.length) * (retry + 1)) / 60_000) + AROUND,
  );
}

function wantsGpu({ resources }: Stage): boolean {
  return (resources["gpu"] ?? 0) > 0;
}

/** The labels of GitHub's standard runners. */
function isHosted(label: string): boolean {
  return /^(ubuntu|windows|macos)-(latest|\d[a-z0-9.-]*)$/.test(label);
}

function ownOnly(json: string): string {
  return `\${{ fromJSON(${OWN} && ${json} || ${quoted(JSON.stringify(HOSTED))}) }}`;
}
