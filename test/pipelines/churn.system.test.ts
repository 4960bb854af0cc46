import { execFileSync } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { modelSchema } from "../../src/config/index.ts";
import { judgeGates } from "../../src/evaluate/index.ts";
import { metricOf, readPredictions } from "../../src/metrics/index.ts";
import { runDemo, project, statuses } from "../pipeline/project.ts";
import { write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";

const root = resolve(import.meta.dirname, "../..");
/** A Python with what requirements.txt names, found by CHURN_PYTHON or as `python3`. */
const python = process.env["CHURN_PYTHON"] ?? "python3";
const there = ((): boolean => {
  try {
    execFileSync(python, ["-c", "import sklearn, skl2onnx, yaml"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
if (!there) console.log(`skipped: ${python} lacks what requirements.txt names (install it, or set CHURN_PYTHON)`);

const FILES = ["pipelines/churn.yaml", "pipelines/churn", "pipelines/lib/random.ts", "models/churn/model.yaml"];

describe.skipIf(!there)("the churn example as a whole", () => {
  test("learns, pays, and runs again only where something changed", { timeout: 180_000 }, async () => {
    const listed = execFileSync("git", ["ls-files", "-z", ...FILES, "requirements.txt", "package-lock.json"], {
      cwd: root,
    });
    const files = listed
      .toString()
      .split("\0")
      .filter((file) => file !== "");
    const text = (file: string): string => readFileSync(join(root, file), "utf8");
    const found = execFileSync(python, ["-c", "import sys; print(sys.executable)"]).toString().trim();
    using at = project(
      {
        ...Object.fromEntries(files.map((file) => [file, text(file)])),
        ".gitignore": "build/\n.lockstep/\nnode_modules\n",
      },
      { PATH: `${dirname(found)}:${process.env["PATH"]}` },
    );
    symlinkSync(join(root, "node_modules"), join(at.path, "node_modules"));
    const first = await runDemo(at.context, {}, "churn");
    expect(first.failures).toEqual([]);

    const model = modelSchema.parse(parseYaml(text("models/churn/model.yaml")));
    const file = model.evaluation.predictions;
    const predictions = value(
      await readPredictions({ file, bytes: readFileSync(join(at.path, file)), evaluation: model.evaluation }),
    );
    const none = { kind: "none", why: "the first version" } as const;
    const gates = judgeGates({
      gates: model.gates!,
      candidate: { predictions, numbers: Object.assign({}, ...Object.values(first.run.metrics)) },
      base: none,
      production: none,
      files: { "model.onnx": readFileSync(join(at.path, "build/churn/model.onnx")).length },
    });
    expect(gates.filter(({ passed }) => !passed)).toEqual([]);
    const { test: tested, later } = JSON.parse(at.read("build/churn/metrics.json")) as Record<
      string,
      { value_per_customer: number }
    >;
    expect(metricOf(predictions, "value_per_customer", model.evaluation)).toBeCloseTo(tested!.value_per_customer, 2);
    expect(later!.value_per_customer).toBeLessThan(tested!.value_per_customer);

    expect(new Set(statuses(await runDemo(at.context, {}, "churn")).map((line) => line.split(" ")[1]))).toEqual(
      new Set(["cached"]),
    );
    write(at.path, {
      "pipelines/churn/params.yaml": at.read("pipelines/churn/params.yaml").replace("cost: 6", "cost: 9"),
    });
    const dearer = await runDemo(at.context, {}, "churn");
    expect(statuses(dearer)).toEqual(["generate: cached", "prepare: cached", "train: cached", "evaluate: run"]);
    write(at.path, { "requirements.txt": `${at.read("requirements.txt")}# another\n` });
    const trained = await runDemo(at.context, {}, "churn");
    // The same bytes from the same data: what comes after is known already.
    expect(statuses(trained)).toEqual(["generate: cached", "prepare: cached", "train: run", "evaluate: cached"]);
  });
});
