import { once } from "node:events";
import type { SpawnSyncReturns } from "node:child_process";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { describe as told } from "../../../src/core/index.ts";
import { loadPipeline, run } from "../../../src/pipeline/index.ts";
import type { RunOutcome } from "../../../src/pipeline/index.ts";
import { contextIn, sh, temporary, write } from "../../git/repository.ts";
import { BIN, scrubbedEnvironment } from "../../helpers/cli.ts";
import { isAlive, until } from "../../helpers/processes.ts";
import { value } from "../../helpers/value.ts";
import { local, project, runDemo, statuses } from "../project.ts";
import type { Project } from "../project.ts";

const can = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;
const bubblewrap = can("bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "true");
const strace = can("strace", "-f", "-o", "/dev/null", "true");
if (!bubblewrap) console.log("skipped: no bubblewrap that works (apt-get install bubblewrap)");
if (!strace) console.log("skipped: no strace that works (apt-get install strace)");

const ROOT = resolve(import.meta.dirname, "../../..");

const demo = (stages: string, files: Record<string, string> = {}): Project =>
  project({ "pipelines/demo.yaml": `stages:\n${stages}`, ...files });
const strictly = (at: Project, how: "confine" | "explain" = "confine"): Promise<RunOutcome> =>
  runDemo(at.context, { strict: how });
const failures = (outcome: RunOutcome): string => outcome.failures.map(told).join("\n");
const warnings = (at: Pick<Project, "context">): string[] =>
  at.context.events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
const notes = (at: Pick<Project, "context">): string[] =>
  at.context.events.flatMap((event) => (event.type === "note" ? [event.message] : []));
/** Nothing of a room stays. */
const rooms = (at: Project): string[] => {
  const folder = join(at.path, ".lockstep/strict");
  return existsSync(folder) ? readdirSync(folder) : [];
};

describe.skipIf(!bubblewrap)("a stage under --strict", () => {
  test.each([
    ["sh", "cat data/undeclared.csv > build/out"],
    ["Python", `python3 -c "open('build/out','w').write(open('data/undeclared.csv').read())"`],
    ["Node", `node -e "fs.writeFileSync('build/out', fs.readFileSync('data/undeclared.csv'))"`],
    ["a program of its own", "./tool.sh > build/out"],
  ])("cannot read what it does not declare, and is told of it: %s", async (_, cmd) => {
    const files = {
      "data/undeclared.csv": "1\n",
      "data/declared.csv": "2\n",
      "tool.sh": "#!/bin/sh\ncat data/undeclared.csv\n",
    };
    const stage = (deps: string): string => `  a: {cmd: ${JSON.stringify(cmd)}, deps: [${deps}], outs: [build/out]}\n`;
    using at = demo(stage("data/declared.csv"), files);
    chmodSync(join(at.path, "tool.sh"), 0o755);
    expect(statuses(await runDemo(at.context))).toEqual(["a: run"]);
    const refused = await runDemo(at.context, { strict: "confine", force: true });
    expect(statuses(refused)).toEqual(["a: failed"]);
    if (strace) {
      const missing = cmd.includes("tool.sh") ? "tool.sh" : "data/undeclared.csv";
      expect(failures(refused)).toContain(`hint: it looked for ${missing}: there, but not declared`);
    }
    write(at.path, { "pipelines/demo.yaml": `stages:\n${stage("data/declared.csv, data/undeclared.csv, tool.sh")}` });
    const passed = await strictly(at);
    expect(failures(passed)).toBe("");
    expect(at.read("build/out")).toBe("1\n");
    expect(warnings(at).slice(1)).toEqual([]);
    expect(rooms(at)).toEqual([]);
  });

  test("has the same records as without", async () => {
    const stages = `  make: {cmd: "mkdir build/a && cp src/x build/a/x && chmod +x build/a/x && echo '{\\"n\\":1}' > build/m.json", deps: [src], outs: [build/a], metrics: [build/m.json]}
  use: {cmd: "cat build/a/x params.yaml > deep/er/out", deps: [build/a], params: [seed], outs: [deep/er/out]}
`;
    const records = async (strict?: "confine" | "explain"): Promise<unknown> => {
      using at = demo(stages, { "src/x": "x\n", "params.yaml": "seed: 1\n" });
      const outcome = await runDemo(at.context, strict && { strict });
      expect(failures(outcome)).toBe("");
      return { stages: outcome.stages, out: at.read("deep/er/out") };
    };
    const plain = await records();
    expect(await records("confine")).toEqual(plain);
    if (strace) expect(await records("explain")).toEqual(plain);
  });

  test("writes its outputs in place, and nothing else", async () => {
    using at = demo(
      `  a:
    cmd:
      - echo mine > build/new.tmp && mv build/new.tmp build/new && mkdir -p build/all/sub && echo id > build/all/p.csv
      - cat build/new > build/all/sub/copy; echo more >> build/log; echo entry > db/2; echo scratch > src/scratch; ls src /tmp > build/seen
      - echo spoilt > in.txt || echo refused > build/refused
    deps: [in.txt, src]
    outs: [build/new, build/all, build/seen, build/refused, {build/log: {persist: true}}, {db: {persist: true}}]
    predictions: build/all/p.csv
`,
      { "in.txt": "in\n", "src/a": "", ".gitignore": ".lockstep/\nbuild/\ndb/\n*.pkl\n" },
    );
    write(at.path, { "build/log": "old\n", "db/1": "", "src/ignored.pkl": "", "build/other": "other\n" });
    const outcome = await strictly(at);
    expect(failures(outcome)).toBe("");
    expect(at.read("build/log")).toBe("old\nmore\n");
    expect(readdirSync(join(at.path, "db")).sort()).toEqual(["1", "2"]);
    expect(at.read("build/all/sub/copy")).toBe("mine\n");
    expect(at.read("build/seen").replace(/[^]*src:\n/, "")).toBe("a\nscratch\n");
    expect(at.read("in.txt")).toBe("in\n");
    expect(at.read("build/refused")).toBe("refused\n");
    expect(readdirSync(join(at.path, "src")).sort()).toEqual(["a", "ignored.pkl"]);
    expect(readdirSync(join(at.path, "build")).sort()).toEqual(["all", "log", "new", "other", "refused", "seen"]);
    expect(notes(at)).toEqual(["a wrote what is no output of it, and is gone: src/scratch"]);
  });

  test("an output that it did not write is missing, and a failed stage leaves nothing", async () => {
    using at = demo(`  a: {cmd: "echo x > build/other", outs: [build/out]}\n`);
    expect(failures(await strictly(at))).toContain("did not write its output build/out");
    write(at.path, {
      "pipelines/demo.yaml": `stages:\n  a: {cmd: "echo half > build/out; exit 3", outs: [build/out]}\n`,
    });
    expect(failures(await strictly(at))).toContain("ended with exit code 3");
    expect(readdirSync(join(at.path, ".lockstep/failed"))).toHaveLength(1);
    expect(existsSync(join(at.path, "build/out"))).toBe(false);
    expect(rooms(at)).toEqual([]);
  });

  test.skipIf(!strace)("a write to what it cannot write is named", async () => {
    using at = demo(`  a: {cmd: "echo x > src/a", deps: [src]}\n`, { "src/a": "a\n" });
    expect(failures(await strictly(at))).toContain("hint: it tried to write src/a: read-only under --strict");
    expect(at.read("src/a")).toBe("a\n");
  });

  test.skipIf(!strace)("that goes on without what it looked for ends well, with a warning", async () => {
    using at = demo(`  a: {cmd: "cat optional > build/out || true", outs: [build/out]}\n`, { optional: "1\n" });
    expect(failures(await strictly(at))).toBe("");
    expect(warnings(at)).toEqual(["a looked for optional: there, but not declared"]);
  });

  test("finds packages and its virtual environment, and no history", async () => {
    using at = demo(
      `  a: {cmd: "node use.cjs > build/node && venv/bin/python -c 'import sys; print(sys.prefix)' > build/python && test ! -e .git", deps: [use.cjs], outs: [build/node, build/python]}\n`,
      { "use.cjs": "console.log(require('pkg'))\n", ".gitignore": ".lockstep/\nbuild/\nnode_modules\nvenv/\n" },
    );
    write(at.path, { "node_modules/pkg/index.js": "module.exports = 'found'\n" });
    execFileSync("python3", ["-m", "venv", "--without-pip", join(at.path, "venv")]);
    expect(failures(await strictly(at))).toBe("");
    expect(at.read("build/node")).toBe("found\n");
    expect(at.read("build/python")).toBe(`${at.path}/venv\n`);
  });

  test("sees of a parameter file what it declares", async () => {
    using at = demo(
      `  a: {cmd: "cat params.yaml > build/out && cat p.json >> build/out", params: [train.lr, {p.json: [a]}, {all.yaml: null}], outs: [build/out]}\n`,
      {
        "params.yaml": "# all\ntrain:\n  lr: 1.0 # rate\n  epochs: 3\nother: 1\n",
        "p.json": '{"a": 1.0, "b": 2}',
        "all.yaml": "x: 1\n",
      },
    );
    expect(failures(await strictly(at))).toBe("");
    expect(at.read("build/out")).toBe('# all\ntrain:\n  lr: 1.0 # rate\n{ "a": 1.0 }\n');
    write(at.path, { "pipelines/demo.yaml": `stages:\n  a: {cmd: "grep epochs params.yaml", params: [train.lr]}\n` });
    expect(failures(await strictly(at))).toContain(
      "hint: of parameters it is shown what it declares: train.lr of params.yaml",
    );
  });

  test("may be a function, whose modules need not be listed and whose files must be", async () => {
    const files = {
      "code/f.ts": `import { readFileSync } from "node:fs";\nimport { twice } from "./twice.ts";\nexport const f = ({ x }: { x: string }) => ({ y: twice(x) + readFileSync("more.txt", "utf8") });\n`,
      "code/twice.ts": "export const twice = (text: string): string => text + text;\n",
      "package.json": "{}",
      "x.txt": "x",
      "more.txt": "more",
    };
    const stage = (deps: string): string =>
      `  a: {run: "code/f.ts#f", inputs: {x: x.txt}, outputs: {y: build/y.txt}, deps: [${deps}]}\n`;
    using at = demo(stage(""), files);
    const told = failures(await strictly(at));
    expect(told).toContain("code/f.ts:3:");
    if (strace) expect(told).toContain("hint: it looked for more.txt: there, but not declared");
    if (strace) expect(failures(await strictly(at, "explain"))).toContain("does not declare: more.txt\n");
    write(at.path, { "pipelines/demo.yaml": `stages:\n${stage("more.txt")}` });
    expect(failures(await strictly(at))).toBe("");
    expect(at.read("build/y.txt")).toBe("xxmore");
    expect(warnings(at)).toEqual([]);
  });

  test("may have more deps than can be mounted", async () => {
    const names = Array.from({ length: 600 }, (_, index) => `in/${index}`);
    using at = demo(
      `  a: {cmd: "cat in/* | wc -l > build/out", deps: [${names.join(", ")}], outs: [build/out]}\n`,
      Object.fromEntries([...names, "in/undeclared"].map((name) => [name, "x\n"])),
    );
    expect(failures(await strictly(at))).toBe("");
    expect(at.read("build/out").trim()).toBe("600");
  });

  test.skipIf(!existsSync("/dev/shm"))("may write to a linked folder on another disk", async () => {
    const far = mkdtempSync("/dev/shm/lockstep-test-");
    try {
      using at = demo(`  a: {cmd: "mkdir build/out && echo x > build/out/f", outs: [build/out]}\n`, {
        ".gitignore": ".lockstep/\nbuild\n",
      });
      symlinkSync(far, join(at.path, "build"));
      expect(failures(await strictly(at))).toBe("");
      expect(readFileSync(join(far, "out/f"), "utf8")).toBe("x\n");
    } finally {
      rmSync(far, { recursive: true });
    }
  });

  test.each(strace ? (["confine", "explain"] as const) : (["confine"] as const))(
    "is asked to end before it is made to: %s",
    async (strict) => {
      const script = `trap 'echo asked > db/asked; exit 1' TERM; ${strict === "confine" ? "setsid sleep 1000 &" : ""} sleep 1000 & echo ready; while :; do sleep 0.05; done`;
      using at = demo(
        `  a: {cmd: ${JSON.stringify(script)}, timeout: TIME, outs: [{db: {persist: true}}]}\n`.replace("TIME", "20s"),
        {
          ".gitignore": ".lockstep/\ndb/\n",
        },
      );
      write(at.path, { "db/x": "" });
      const abort = new AbortController();
      const running = runDemo(
        {
          ...at.context,
          signal: abort.signal,
          emit: (event) => {
            at.context.emit(event);
            if (event.type === "stage-output" && event.text === "ready") abort.abort();
          },
        },
        { strict },
      );
      const groups = await until(() => {
        const folder = join(at.path, ".lockstep/running");
        return existsSync(folder) && readdirSync(folder).length > 0 && readdirSync(folder);
      });
      const outcome = await running;
      expect(outcome.failures.map(({ code }) => code)).toEqual(["interrupted"]);
      expect(at.read("db/asked")).toBe("asked\n");
      expect(groups.map(Number).some(isAlive)).toBe(false);
      expect(sleeping(at)).toEqual([]);
      expect(rooms(at)).toEqual([]);
    },
  );

  test("goes on from its checkpoint", async () => {
    const script = `cat $LOCKSTEP_CHECKPOINT/n > build/out 2>/dev/null || { echo 1 > checkpoints/a/n; exit 1; }`;
    using at = demo(`  a: {cmd: ${JSON.stringify(script)}, checkpoint: checkpoints/a, outs: [build/out]}\n`, {
      ".gitignore": ".lockstep/\nbuild/\ncheckpoints/\n",
    });
    expect(failures(await strictly(at))).toContain("ended with exit code 1");
    expect(failures(await strictly(at))).toBe("");
    expect(at.read("build/out")).toBe("1\n");
    expect(notes(at).filter((note) => note.includes("no output"))).toEqual([]);
  });

  test("ends at its timeout, and with a run that is killed", async () => {
    using at = demo(`  a: {cmd: "setsid sleep 1000 & echo ready; sleep 1000", timeout: 0.5s}\n`);
    expect(failures(await strictly(at))).toContain("ran longer than its timeout of 0.5 s");
    expect(sleeping(at)).toEqual([]);
    write(at.path, { "pipelines/demo.yaml": `stages:\n  a: {cmd: "setsid sleep 1000 & sleep 1000"}\n` });
    const script = `const { runDemo } = await import(${JSON.stringify(join(ROOT, "test/pipeline/project.ts"))});
      const { contextIn } = await import(${JSON.stringify(join(ROOT, "test/git/repository.ts"))});
      await runDemo(contextIn(${JSON.stringify(at.path)}), { strict: "confine" });`;
    const { spawn } = await import("node:child_process");
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: "ignore" });
    await until(() => sleeping(at).length === 2);
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended; // until then it holds the workspace
    await until(() => sleeping(at).length === 0);
    expect(rooms(at)).toHaveLength(1);
    write(at.path, { "pipelines/demo.yaml": `stages:\n  a: {cmd: "true"}\n` });
    expect(failures(await strictly(at))).toBe("");
    expect(rooms(at)).toEqual([]);
  });
});

/** Processes that stand in a project. */
function sleeping(at: Project): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return command === "sleep\x001000\0" && readFileSync(`/proc/${pid}/mountinfo`, "utf8").includes(` ${at.path} `);
    } catch {
      return false;
    }
  });
}

describe.skipIf(!strace)("a stage under --explain", () => {
  test("runs as it is, and all that it read undeclared is listed", async () => {
    using at = demo(
      `  a:
    cmd: cd sub && cat ../data/x > ../build/out; python3 main.py; echo 1 > /dev/null; echo s > scratch && cat scratch
    deps: [sub/main.py, data/x, never]
    outs: [build/out]
  b: {cmd: "cat build/out data/y > build/b", deps: [build/out], outs: [build/b]}
`,
      {
        "data/x": "x\n",
        "data/y": "y\n",
        never: "",
        "sub/main.py": "import helper, os\nos.path.exists('../asked')\nopen('../odd name \\u00e9').read()\n",
        "sub/helper.py": "A = 1\n",
        asked: "",
        "odd name é": "",
        ".gitignore": ".lockstep/\nbuild/\n__pycache__/\n",
      },
    );
    for (const time of ["first", "with compiled modules"]) {
      const outcome = await runDemo(at.context, { strict: "explain", force: true });
      expect(statuses(outcome), time).toEqual(["a: run", "b: run"]);
      expect(outcome.failures, time).toMatchObject([
        { code: "reads-undeclared", stage: "a", paths: ["odd name é", "sub/helper.py"], more: 0 },
        { code: "reads-undeclared", stage: "b", paths: ["data/y"], at: { file: "pipelines/demo.yaml", line: 6 } },
      ]);
      expect(failures(outcome)).toContain(`hint: add to its deps:\n    - "odd name é"\n    - "sub/helper.py"`);
      expect(notes(at).at(-1)).toBe("a did not read never");
    }
    rmSync(join(at.path, "sub/scratch"));
  });

  test("what it reads outside of the repository is told, and what is installed is not", async () => {
    const far = mkdtempSync("/srv/lockstep-test-");
    try {
      write(far, { "data.csv": "1\n" });
      using at = demo(`  a: {cmd: "cat ${far}/data.csv > build/out", outs: [build/out]}\n`);
      expect(failures(await strictly(at, "explain"))).toBe("");
      expect(warnings(at)).toEqual([`a read outside of the repository, of which no key can tell: ${far}/data.csv`]);
    } finally {
      rmSync(far, { recursive: true });
    }
  });

  test("the command line ends with 1 and says where", () => {
    using at = demo(`  a: {cmd: "cat x"}\n`, { x: "1\n" });
    const ended = spawnSync(process.execPath, [BIN, "run", "--explain"], { cwd: at.path, env: scrubbedEnvironment() });
    expect(ended.status).toBe(1);
    expect(ended.stdout.toString()).toContain(`stage "a" reads what it does not declare: x`);
    const both = spawnSync(process.execPath, [BIN, "run", "--explain", "--strict"], { cwd: at.path });
    expect(both.status).toBe(2);
  });
});

describe.skipIf(!bubblewrap || process.getuid?.() !== 0)("as an ordinary user", () => {
  const nobody = 65534;
  const asNobody = (cwd: string, program: string, ...args: string[]): SpawnSyncReturns<string> =>
    spawnSync("setpriv", [`--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", program, ...args], {
      cwd,
      env: scrubbedEnvironment(),
      encoding: "utf8",
    });
  const own = (at: Project): void => {
    chmodSync(resolve(at.path, ".."), 0o755);
    for (const path of ["", ...(readdirSync(at.path, { recursive: true }) as string[])])
      chownSync(join(at.path, path), nobody, nobody);
  };

  test("it is the same", () => {
    using at = demo(
      `  a: {cmd: "cat x y > build/out; id -u; mkdir -p /tmp/a/b; touch /tmp/a/b/c; chmod 500 /tmp/a/b", deps: [x], outs: [build/out]}\n`,
      {
        x: "1\n",
        y: "2\n",
      },
    );
    own(at);
    const ended = asNobody(at.path, process.execPath, BIN, "run", "--strict");
    expect(ended.stderr).toContain(`a | ${nobody}\n`);
    if (strace) expect(ended.stderr).toContain("a looked for y: there, but not declared");
    expect(ended.status).toBe(0);
    expect(at.read("build/out")).toBe("1\n");
    expect(rooms(at)).toEqual([]);
  });

  test("a kernel that allows no user namespaces is told of, and nothing runs", () => {
    using at = demo(`  a: {cmd: "echo ran > ran"}\n`);
    own(at);
    const outer = [
      "--unshare-user",
      "--disable-userns",
      "--dev-bind",
      "/",
      "/",
      process.execPath,
      BIN,
      "run",
      "--strict",
    ];
    const ended = asNobody(at.path, "bwrap", ...outer);
    expect(ended.stdout + ended.stderr).toMatch(/--strict: bwrap: .*\n\s+hint: the kernel must allow user namespaces/);
    expect(ended.status).toBe(3);
    expect(existsSync(join(at.path, "ran"))).toBe(false);
  });
});

test("where the program is not there, nothing runs and it is said what to install", async () => {
  using at = demo(`  a: {cmd: "echo ran > ran"}\n`);
  using bin = temporary();
  symlinkSync(execFileSync("which", ["git"]).toString().trim(), join(bin.path, "git"));
  const context = contextIn(at.path, { PATH: bin.path });
  const basics = local(context);
  const pipeline = value(await loadPipeline(basics.source, "demo"));
  for (const [strict, hint] of [
    ["confine", "apt-get install bubblewrap"],
    ["explain", "apt-get install strace"],
  ] as const) {
    const options = { ...basics, pipeline, commit: null, restore: "all", strict } as const;
    const outcome = await run(context, { ...options, commit: async () => null });
    expect(outcome).toMatchObject({
      ok: false,
      failures: [{ code: "external", hint: expect.stringContaining(hint) as string }],
    });
  }
  expect(existsSync(join(at.path, "ran"))).toBe(false);
});

describe.skipIf(!bubblewrap || !strace)("the digits example", () => {
  test("declares all it reads", { timeout: 180_000 }, async () => {
    using folder = temporary();
    const path = join(folder.path, "digits");
    mkdirSync(path);
    for (const name of [
      "pipelines",
      "data",
      "params.yaml",
      "data.lock.json",
      "package.json",
      "package-lock.json",
      ".gitignore",
    ])
      cpSync(join(ROOT, name), join(path, name), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(path, "node_modules"));
    sh(path, "init", "--quiet");
    write(path, { "params.yaml": readFileSync(join(path, "params.yaml"), "utf8").replace(/epochs: \d+/, "epochs: 1") });
    const context = contextIn(path);
    for (const strict of ["explain", "confine"] as const) {
      const outcome = await runDemo(context, { strict, force: true }, "digits");
      expect(failures(outcome)).toBe("");
      expect(statuses(outcome)).toEqual(["prepare: run", "train: run", "export: run", "evaluate: run"]);
    }
    expect(warnings({ context })).toEqual([]);
    expect(notes({ context }).filter((note) => note.includes("did not read"))).toEqual([]);
  });
});
