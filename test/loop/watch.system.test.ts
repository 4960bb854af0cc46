import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { write } from "../git/repository.ts";
import { openApiObserver } from "../helpers/openapi.ts";
import { openRig, root } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** A refresh each 1.2 seconds in place of five minutes; all else is as it is. */
const MINUTES = "0.02";

/** A training of as many epochs as there are gates: before the end of each it waits until the test opens one. */
const train = (gates: string): string => `
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
const seed = process.argv[2];
mkdirSync("build", { recursive: true });
for (let epoch = 1; epoch <= 2; epoch++) {
  writeFileSync("build/metrics.json", JSON.stringify({ epoch, loss: 1 / (epoch + 1) }));
  while (!existsSync(${JSON.stringify(gates)} + "/" + seed + "-" + epoch)) await setTimeout(20);
}
writeFileSync("build/model", seed);
`;
const PIPELINE = `version: 1
stages:
  train:
    cmd: node train.mjs \${seed}
    deps: [train.mjs]
    params: [seed]
    outs: [build/model]
    metrics: [build/metrics.json]
`;

describe.each([
  ["experiment", "experiment", "report"],
  ["compiled workflow", "toy", "report:toy"],
])("a long %s", (_, workflow, marker) => {
  const openapi = openApiObserver();
  let rig: Rig;
  let gates: string;
  beforeAll(async () => {
    rig = await openRig(openapi.observer, {}, { LOCKSTEP_PROGRESS: MINUTES });
    gates = join(rig.dir, "gates");
    mkdirSync(gates);
    for (const name of ["experiment", "report"]) {
      const file = `.github/workflows/lockstep-${name}.yml`;
      mkdirSync(dirname(join(rig.clone, file)), { recursive: true });
      cpSync(join(root, file), join(rig.clone, file));
    }
    write(rig.clone, {
      ".gitignore": ".lockstep/\nbuild/\n",
      "params.yaml": "seed: 1\n",
      "train.mjs": train(gates),
      "pipelines/toy.yaml": PIPELINE,
    });
    if (workflow === "toy") await rig.lockstep("compile", "toy");
    await rig.run("git", ["add", "-A"]);
    await rig.run("git", ["commit", "-q", "-m", "first"]);
    await rig.run("git", ["push", "-q", "origin", "main"]);
    await rig.run("git", ["checkout", "-q", "-b", "longer"]);
    await push(2);
    await rig.api("POST", "/pulls", { title: "Longer", head: "longer", base: "main" });
  }, 120_000);
  afterAll(async () => rig.close());

  async function push(seed: number): Promise<void> {
    write(rig.clone, { "params.yaml": `seed: ${seed}\n` });
    await rig.run("git", ["commit", "-q", "-am", `seed ${seed}`]);
    await rig.run("git", ["push", "-q", "origin", "longer"]);
  }
  const open = (seed: number, epoch: number): void => writeFileSync(join(gates, `${seed}-${epoch}`), "");
  const comments = async (): Promise<string[]> =>
    (await rig.api<{ body: string }[]>("GET", "/issues/1/comments")).map(({ body }) => body);
  const shows = async (...parts: readonly (string | RegExp)[]): Promise<void> => {
    const wanted = parts.map((part) =>
      typeof part === "string" ? expect.stringContaining(part) : expect.stringMatching(part),
    );
    for (const one of wanted) await expect.poll(comments, { timeout: 60_000 }).toEqual([one]);
  };
  const experiments = () => rig.runs().filter(({ path }) => path === `.github/workflows/lockstep-${workflow}.yml`);
  const watches = () => rig.runs().flatMap(({ jobs }) => jobs.filter(({ name }) => name === "watch"));

  it("is followed in its comment, from what its metrics file holds by now", { timeout: 180_000 }, async () => {
    await shows("**The experiment is running.** 1 of 1 stage will run.", "`epoch` 1, `loss` 0.5000");
    open(2, 1);
    await shows("`epoch` 2, `loss` 0.3333", "| `train` | **run** | **running** since");
  });

  it(
    "is followed no more when a newer one takes its place, whose comment it then is",
    { timeout: 180_000 },
    async () => {
      const [old] = experiments();
      await push(3);
      await expect.poll(() => old?.conclusion, { timeout: 60_000 }).toBe("cancelled");
      await shows(new RegExp(`^<!-- lockstep:${marker} run=\\d+ attempt=1 going -->[^]*\`epoch\` 1, \`loss\` 0.5000`));
      const newer = experiments().at(-1)!;
      expect(newer.id).not.toBe(old?.id);
      await shows(`run=${newer.id} attempt=1 going`);
    },
  );

  it("ends with its report, which no refresh writes over", { timeout: 180_000 }, async () => {
    open(3, 1);
    open(3, 2);
    const names = await rig.settle();
    expect(names).not.toContain("Lockstep report: failure");
    await shows(new RegExp(`^<!-- lockstep:${marker} run=\\d+ attempt=1 -->`));
    expect(await comments()).toEqual([expect.not.stringContaining("is running")]);
    const conclusions = watches()
      .map(({ conclusion }) => conclusion)
      .filter((one) => one !== "skipped");
    expect(conclusions.length).toBe(2);
    expect(conclusions.at(-1)).toBe("success");
    const log = watches()
      .flatMap(({ steps }) => steps.map((step) => step.log))
      .join("");
    expect(log).toContain("No more is told: the experiment has ended.");
  });

  it("spoke GitHub's API all the while", () => {
    expect(openapi.violations()).toEqual([]);
  });
});
