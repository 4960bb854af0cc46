import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sh, temporary, write } from "../../git/repository.ts";
import { accepted, ahead, beyond, refused } from "./corpus.ts";
import type { Files } from "./corpus.ts";
import { ours } from "./read.ts";
import type { Answer } from "./read.ts";

/** The judge: DVC itself, found by DVC_PYTHON (a Python that has it) or as `python3`. */
const python = process.env["DVC_PYTHON"] ?? "python3";
const version = ((): string | undefined => {
  try {
    return execFileSync(python, ["-c", "import dvc; print(dvc.__version__)"], { stdio: ["ignore", "pipe", "ignore"] })
      .toString()
      .trim();
  } catch {
    return undefined;
  }
})();
if (version === undefined) console.log(`skipped: no DVC for ${python} (python3 -m pip install dvc, or set DVC_PYTHON)`);

const projects: [string, Files][] = [
  ...Object.entries({ ...accepted, ...ahead }),
  ...[refused, beyond].flatMap((group) =>
    Object.entries(group).map(([name, { files }]): [string, Files] => [name, files]),
  ),
];

describe.skipIf(version === undefined)(`as DVC ${version} reads it`, () => {
  let folder: ReturnType<typeof temporary>;
  const theirs = new Map<string, Answer>();
  const places = new Map<string, string>();

  beforeAll(() => {
    folder = temporary();
    for (const [at, [name, files]] of projects.entries()) {
      const place = join(folder.path, `p${at}`);
      write(place, { ".dvc/config": "", ".dvc/.gitignore": "/tmp\n/cache\n", ...files });
      sh(place, "init", "--quiet");
      places.set(name, place);
    }
    const answers = execFileSync(python, [join(import.meta.dirname, "report.py")], {
      input: JSON.stringify(projects.map(([name]) => places.get(name))),
      maxBuffer: 64 * 1024 * 1024,
    });
    for (const [at, answer] of (JSON.parse(answers.toString()) as Answer[]).entries())
      theirs.set(projects[at]![0], answer);
  }, 120_000);
  afterAll(() => folder?.[Symbol.dispose]());

  test.each(Object.keys(accepted))("%s", async (name) => {
    const judged = theirs.get(name)!;
    expect(judged).toHaveProperty("stages");
    expect(await ours(places.get(name)!)).toEqual(judged);
  });

  test.each(Object.keys(refused))("refused: %s", async (name) => {
    expect(theirs.get(name)).toHaveProperty("refused");
    expect(await ours(places.get(name)!)).toEqual({ refused: expect.stringMatching(refused[name]!.says) as string });
  });

  test.each(Object.keys(beyond))("taken by DVC alone: %s", async (name) => {
    expect(theirs.get(name)).toHaveProperty("stages");
    expect(await ours(places.get(name)!)).toEqual({ refused: expect.stringMatching(beyond[name]!.says) as string });
  });

  test.each(Object.keys(ahead))("taken by us alone: %s", async (name) => {
    expect(theirs.get(name)).toHaveProperty("refused");
    expect(await ours(places.get(name)!)).toHaveProperty("stages");
  });
});
