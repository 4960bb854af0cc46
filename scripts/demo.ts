import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { tellStory } from "./demo/story.ts";
import { Teller } from "./demo/teller.ts";
import { openStage } from "./demo/stage.ts";

const HELP = `The whole loop, in a fresh sandbox: an experiment, its review, the promotion, the deployment, drift and retraining.

  npm run demo -- [--json FILE] [--no-serve] [--dir DIR] [--port N]

  --json FILE   write the facts: steps with times, numbers, digests, URLs
  --no-serve    end when the story has ended; otherwise the web page stays up until Ctrl-C
  --dir DIR     where the sandbox lives (default .lockstep/demo; replaced)
  --port N      port of the page (default: any free one)`;

const { values } = parseArgs({
  allowNegative: true,
  options: {
    json: { type: "string" },
    serve: { type: "boolean", default: true },
    dir: { type: "string", default: ".lockstep/demo" },
    port: { type: "string", default: "0" },
    help: { type: "boolean", short: "h" },
  },
});

if (values.help) {
  console.log(HELP);
} else {
  process.exitCode = await demo();
}

async function demo(): Promise<number> {
  const root = resolve(import.meta.dirname, "..");
  const dir = resolve(values.dir);
  if (existsSync(dir) && !existsSync(`${dir}/sandbox`)) {
    console.error(`${dir} exists and is not an earlier demo; name another folder with --dir`);
    return 2;
  }
  rmSync(dir, { recursive: true, force: true });
  const teller = new Teller((line) => console.log(line), process.stdout.isTTY ?? false);
  const stage = await openStage({ root, dir, port: Number(values.port), now: new Date() });
  const stopped = new Promise<void>((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
  });
  const write = (facts: object): void => {
    if (values.json === undefined) return;
    mkdirSync(dirname(resolve(values.json)), { recursive: true });
    const document = { ...facts, steps: teller.steps, ok: teller.steps.every((step) => step.ok), ms: teller.ms };
    writeFileSync(values.json, `${JSON.stringify(document, null, 2)}\n`);
  };
  try {
    const facts = await Promise.race([tellStory(stage, teller), stopped.then(() => undefined)]);
    if (facts === undefined) return 130;
    write(facts);
    teller.summary(stage.page("/"), facts);
    if (values.serve) {
      console.log("\nThe page stays up until Ctrl-C.");
      await stopped;
    }
    return 0;
  } catch (error) {
    // A step that did not go as told; its facts so far are still worth having.
    write({});
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    await stage.close();
  }
}
