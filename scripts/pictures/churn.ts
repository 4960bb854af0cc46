import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { foundRepository, propose } from "../demo/experiment.ts";
import { openStage } from "../demo/stage.ts";

const FILES = ["pipelines/churn.yaml", "pipelines/churn", "models/churn/model.yaml", "requirements.txt"];

/** Plays one pull request to the churn example in a sandbox of its own: trees so few that it is worse. */
export async function churnStory(root: string, dir: string): Promise<void> {
  const python = process.env["CHURN_PYTHON"] ?? "python3";
  const found = execFileSync(python, ["-c", "import sklearn, skl2onnx, yaml, sys; print(sys.executable)"]);
  process.env["PATH"] = `${dirname(found.toString().trim())}:${process.env["PATH"]}`;
  const stage = await openStage({ root, dir, port: 0, now: new Date(), name: "churn" });
  try {
    await foundRepository(stage, FILES);
    await stage.git("push", "-q", "origin", "main");
    await stage.settle();
    await propose(stage, {
      branch: "smaller-model",
      title: "A smaller model",
      body: "A quarter of the trees would answer faster. Is it as good?",
      edit: () => {
        const file = join(stage.clone, "pipelines/churn/params.yaml");
        writeFileSync(file, readFileSync(file, "utf8").replace("trees: 120", "trees: 30"));
      },
    });
    await stage.settle();
  } finally {
    await stage.close();
  }
}
