import { utimesSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe as suite, expect, test } from "vitest";
import { canonicalJson } from "../../src/core/index.ts";
import type { RelativePath } from "../../src/core/index.ts";
import { atRevision } from "../../src/git/index.ts";
import { loadPipeline, plan, stageKey } from "../../src/pipeline/index.ts";
import type { KeyInputs } from "../../src/pipeline/index.ts";
import { sh, write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import golden from "./golden/keys.json" with { type: "json" };
import { CHAIN_FILES, local, project } from "./project.ts";
import type { Project } from "./project.ts";

suite("golden vectors", () => {
  // Computed by another program from the description in docs/pipelines.md. A change here loses every team's records.
  test.each(golden)("$about", ({ inputs, key }) => {
    expect(stageKey(inputs as unknown as KeyInputs)).toBe(key);
  });
});

const digest = fc.nat(1000).map((n) => `sha256:${n.toString(16).padStart(64, "0")}`);
const path = fc.stringMatching(
  /^[a-zA-Zäß.]{1,6}(\/[a-z]{1,3})?$/,
) as fc.Arbitrary<unknown> as fc.Arbitrary<RelativePath>;
const content = fc.uniqueArray(fc.record({ path, digest }), { selector: (entry) => entry.path, maxLength: 5 });
const inputs = fc.record({
  cmd: fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
  wdir: fc.constantFrom(".", "a", "a/b"),
  deps: content,
  params: fc.dictionary(fc.string(), fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), { maxKeys: 3 }),
  outs: fc.uniqueArray(fc.record({ path, use: fc.constantFrom("out", "metric", "plot") }), {
    selector: (entry) => `${entry.path}\0${entry.use}`,
    maxLength: 4,
  }),
  env: fc.record({
    files: content,
    vars: fc.dictionary(fc.string(), fc.option(fc.string()), { maxKeys: 3 }),
    image: fc.option(fc.string()),
  }),
}) as fc.Arbitrary<unknown> as fc.Arbitrary<KeyInputs>;

/** The same value with the members of every object, and the lists whose order means nothing, the other way round. */
function reordered({ cmd, wdir, deps, params, outs, env }: KeyInputs): KeyInputs {
  const turn = <T extends object>(group: T): T => Object.fromEntries(Object.entries(group).toReversed()) as T;
  return turn({
    cmd,
    wdir,
    deps: deps.map(turn).toReversed(),
    params: turn(Object.fromEntries(Object.entries(params).map(([file, values]) => [file, turn(values)]))),
    outs: outs.toReversed().map(turn),
    env: turn({ files: env.files.toReversed().map(turn), vars: turn(env.vars), image: env.image }),
  });
}

suite("properties", () => {
  test("the order in which things are written does not matter", () => {
    fc.assert(fc.property(inputs, (some) => stageKey(reordered(some)) === stageKey(some)));
  });

  test("different inputs have different keys", () => {
    const frame = (some: KeyInputs): unknown => JSON.parse(JSON.stringify(sorted(some)));
    fc.assert(
      fc.property(inputs, inputs, (one, other) => {
        let same = true;
        try {
          expect(frame(one)).toStrictEqual(frame(other));
        } catch {
          same = false;
        }
        return (stageKey(one) === stageKey(other)) === same;
      }),
    );
  });

  test.each<[string, (some: KeyInputs) => KeyInputs]>([
    ["a command", (some) => ({ ...some, cmd: [...some.cmd, ""] })],
    ["where commands are cut", (some) => ({ ...some, cmd: [`${some.cmd.join("\n")}\n`] })],
    ["the folder", (some) => ({ ...some, wdir: `${some.wdir}x` })],
    [
      "a dep",
      (some) => ({
        ...some,
        deps: [...some.deps, { path: "new!" as RelativePath, digest: `sha256:${"f".repeat(64)}` as never }],
      }),
    ],
    ["a parameter file", (some) => ({ ...some, params: { ...some.params, "new!": {} } })],
    ["a parameter", (some) => ({ ...some, params: { ...some.params, "p!": { a: 1 }, q: { b: "1" } } })],
    ["an output", (some) => ({ ...some, outs: [...some.outs, { path: "new!" as RelativePath, use: "out" as const }] })],
    [
      "what an output is for",
      (some) => ({ ...some, outs: [{ path: "new!" as RelativePath, use: "metric" as const }, ...some.outs] }),
    ],
    [
      "an environment file",
      (some) => ({
        ...some,
        env: {
          ...some.env,
          files: [...some.env.files, { path: "new!" as RelativePath, digest: `sha256:${"f".repeat(64)}` as never }],
        },
      }),
    ],
    [
      "a variable that is not set",
      (some) => ({ ...some, env: { ...some.env, vars: { ...some.env.vars, "new!": null } } }),
    ],
    ["an empty variable", (some) => ({ ...some, env: { ...some.env, vars: { ...some.env.vars, "new!": "" } } })],
    ["the image", (some) => ({ ...some, env: { ...some.env, image: `${some.env.image ?? ""}x` } })],
  ])("%s changes the key", (_, change) => {
    fc.assert(
      fc.property(inputs, (some) => stageKey(change(some)) !== stageKey(some)),
      { numRuns: 30 },
    );
  });
});

test("a function's name, module, and what it takes and gives are in its key", () => {
  const [{ inputs: some }] = golden.slice(-1) as unknown as [{ inputs: KeyInputs }];
  const was = some.function!;
  const [first, ...rest] = was.inputs;
  const others: NonNullable<KeyInputs["function"]>[] = [
    { ...was, name: "other" },
    { ...was, module: "other.ts" as RelativePath },
    { ...was, inputs: rest },
    { ...was, inputs: [...rest, { ...first!, format: "text" }] },
    { ...was, inputs: [...rest, { ...first!, name: "other" }] },
    { ...was, outputs: [...was.outputs, first!] },
  ];
  const turned = { ...was, inputs: was.inputs.toReversed(), outputs: was.outputs.toReversed() };
  expect(stageKey({ ...some, function: turned })).toBe(stageKey(some));
  expect(new Set([some, ...others.map((code) => ({ ...some, function: code }))].map(stageKey)).size).toBe(7);
});

function sorted({ deps, outs, env, ...rest }: KeyInputs): unknown {
  const by = <T>(list: readonly T[]): string[] => list.map((entry) => canonicalJson(entry)).sort();
  return { ...rest, deps: by(deps), outs: by(outs), env: { ...env, files: by(env.files) } };
}

async function keys(at: Project, revision?: string): Promise<(string | null)[]> {
  const basics = local(at.context);
  const source = revision === undefined ? basics.source : value(await atRevision(at.context, revision));
  const pipeline = value(await loadPipeline(source, "demo"));
  const { stages } = value(await plan(at.context, { source, pipeline, records: basics.records }));
  return stages.map(({ key }) => key);
}

suite("of a tree", () => {
  const ONE = `stages:
  only:
    cmd: "true"
    deps: [src, one.txt]
    params: [a]
    env: {files: [env.lock], vars: [SOME]}
`;
  const FILES = {
    "pipelines/demo.yaml": ONE,
    "params.yaml": "a: 1\nb: 2\n",
    "src/x.py": "print(1)\n",
    "src/deep/y.py": "print(2)\n",
    "one.txt": "1",
    "env.lock": "x==1\n",
  };

  test("is the same in another folder, at another time, under another locale, and from git's objects alone", async () => {
    using one = project(FILES, { LC_ALL: "C" });
    using other = project(FILES, { LC_ALL: "sv_SE.UTF-8", LANG: "tr_TR.UTF-8", TZ: "Asia/Tokyo" });
    for (const file of ["one.txt", "src/x.py"]) utimesSync(join(other.path, file), 1, 1);
    const here = await keys(one);
    expect(here[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(await keys(other)).toEqual(here);
    expect(await keys(one, "HEAD")).toEqual(here);
  });

  test("does not see what the stage did not ask for", async () => {
    using at = project(FILES);
    const before = await keys(at);
    write(at.path, {
      "params.yaml": "# other\nb: 3\na: 1\n",
      "other.txt": "new",
      ".gitignore": "build/\n.lockstep/\nsrc/cache/\n",
      "src/cache/x.pyc": "compiled",
      "pipelines/demo.yaml": `# a comment\n${ONE}    desc: other words\n    timeout: 2h\n    retry: 3\n`,
    });
    expect(await keys(at)).toEqual(before);
  });

  test.each<[string, Record<string, string>]>([
    ["a file", { "one.txt": "2" }],
    ["a file deep in a folder", { "src/deep/y.py": "print(3)\n" }],
    ["a new file in a folder that git does not know yet", { "src/new.py": "" }],
    ["a parameter", { "params.yaml": "a: 2\nb: 2\n" }],
    ["a parameter's type", { "params.yaml": 'a: "1"\n' }],
    ["a lockfile of the environment", { "env.lock": "x==2\n" }],
    ["the command", { "pipelines/demo.yaml": ONE.replace('"true"', '"true "') }],
  ])("sees %s, the same before and after the commit", async (_, files) => {
    using at = project(FILES);
    const before = await keys(at);
    write(at.path, files);
    const edited = await keys(at);
    expect(edited).not.toEqual(before);
    sh(at.path, "add", "--all");
    sh(at.path, "commit", "--quiet", "--message=edit");
    expect(await keys(at, "HEAD")).toEqual(edited);
    expect(await keys(at, "HEAD~1")).toEqual(before);
  });

  test("sees a variable it declares, and no other", async () => {
    using one = project(FILES, { SOME: "1" });
    using same = project(FILES, { SOME: "1", OTHER: "2" });
    using other = project(FILES, { SOME: "2" });
    using unset = project(FILES);
    const all = await Promise.all([one, same, other, unset].map((at) => keys(at)));
    expect(all[1]).toEqual(all[0]);
    expect(new Set(all.map(String)).size).toBe(3);
  });

  test("of a chain is known up to the first stage that will run", async () => {
    using at = project(CHAIN_FILES);
    expect((await keys(at)).map((key) => key !== null)).toEqual([true, false, false]);
  });
});
