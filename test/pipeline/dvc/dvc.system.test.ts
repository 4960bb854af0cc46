import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sh, temporary, write } from "../../git/repository.ts";
import { accepted, ahead, beyond, refused } from "./corpus.ts";
import type { Files } from "./corpus.ts";
import { judged, version } from "./judge.ts";
import { ours } from "./read.ts";
import type { Answer } from "./read.ts";

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
    const answers = judged<Answer>(
      "report.py",
      projects.map(([name]) => places.get(name)),
    );
    for (const [at, answer] of answers.entries()) theirs.set(projects[at]![0], answer);
  }, 300_000);
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
