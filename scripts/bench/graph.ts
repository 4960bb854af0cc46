import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** One stage as both programs know it. */
interface GraphStage {
  readonly name: string;
  readonly cmd: string;
  readonly deps: readonly string[];
  /** Path -> what its command writes there. */
  readonly outs: Readonly<Record<string, string>>;
}

/** A repository's pipeline: one `dvc.yaml` that both programs read as it is, and the files it starts from. */
export interface Graph {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** What the `dvc.yaml` comes to. */
  readonly stages: readonly GraphStage[];
}

/** Stages in rows of ten, each with nine files of its own and what a stage of the row above made. */
export function rows(scale: number): Graph {
  const count = Math.ceil(100 * scale);
  const files: Record<string, string> = { "in/top.txt": "top\n" };
  const stages = Array.from({ length: count }, (_, at): GraphStage => {
    const own = Array.from({ length: 9 }, (__, n) => `in/${at}/${n}.txt`);
    for (const path of own) files[path] = `${path}\n`;
    const above = at < 10 ? "in/top.txt" : `out/${at - 10}.txt`;
    return {
      name: `s${at}`,
      cmd: `echo ${at} > out/${at}.txt`,
      deps: [...own, above],
      outs: { [`out/${at}.txt`]: `${at}\n` },
    };
  });
  return graphOf("rows", files, stages);
}

/** Items of one `foreach`. */
export function items(scale: number): Graph {
  const list = Array.from({ length: Math.ceil(3000 * scale) }, (_, at) => `i${at}`);
  const stages = list.map((item): GraphStage => ({
    name: `each@${item}`,
    cmd: `echo ${item} > out/${item}.txt`,
    deps: ["in.txt"],
    outs: { [`out/${item}.txt`]: `${item}\n` },
  }));
  const yaml =
    "stages:\n  each:\n    foreach: ${items}\n    do:\n      cmd: echo ${item} > out/${item}.txt\n" +
    "      deps: [in.txt]\n      outs: ['out/${item}.txt']\n";
  const files = { "params.yaml": `items:\n${list.map((item) => `  - ${item}\n`).join("")}`, "in.txt": "x\n" };
  return { name: "items", files: { ...files, ".gitignore": IGNORED, "dvc.yaml": yaml }, stages };
}

/** Stages that have nothing to do with each other and take a second. */
export function seconds(): Graph {
  const stages = Array.from({ length: 8 }, (_, at): GraphStage => ({
    name: `s${at}`,
    cmd: `sleep 1; echo ${at} > out/${at}.txt`,
    deps: ["in.txt"],
    outs: { [`out/${at}.txt`]: `${at}\n` },
  }));
  return graphOf("seconds", { "in.txt": "x\n" }, stages);
}

/** Stages with a trifle to do, in chains of ten. */
export function many(scale: number): Graph {
  const stages = Array.from({ length: Math.ceil(2000 * scale) }, (_, at): GraphStage => ({
    name: `s${at}`,
    cmd: `echo ${at} > out/${at}.txt`,
    deps: [at % 10 === 0 ? "in.txt" : `out/${at - 1}.txt`],
    outs: { [`out/${at}.txt`]: `${at}\n` },
  }));
  return graphOf("many", { "in.txt": "x\n" }, stages);
}

const IGNORED = "/out\n/.lockstep\n";

function graphOf(name: string, files: Readonly<Record<string, string>>, stages: readonly GraphStage[]): Graph {
  const yaml = stages.map(
    (stage) =>
      `  ${stage.name}:\n    cmd: ${stage.cmd}\n    deps: [${stage.deps.join(", ")}]\n    outs: [${Object.keys(stage.outs).join(", ")}]\n`,
  );
  return { name, files: { ...files, ".gitignore": IGNORED, "dvc.yaml": `stages:\n${yaml.join("")}` }, stages };
}

/** Writes files below a folder. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}
