import { expect, test } from "vitest";
import { atRevision, workingTree } from "../../src/git/index.ts";
import { loadPipeline, topMetrics, topParams } from "../../src/pipeline/index.ts";
import { write } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { project } from "./project.ts";

const YAML = `vars: [{name: hand}]
stages:
  a: {cmd: x, outs: [a], metrics: [live/own.json: {cache: false}]}
metrics: ["\${name}.json", live, gone.json]
params: [conf.toml, gone.yaml]
artifacts:
  best: {path: a, type: model, labels: [x], desc: the best}
`;

test("what a dvc.yaml names beside its stages is read from the files, at a revision too", async () => {
  using at = project({
    "dvc.yaml": YAML,
    "hand.json": '{"a": {"b": 1.5, "text": "x"}}',
    "live/more.json": '{"loss": 2}',
    "live/own.json": '{"own": 3}',
    "conf.toml": "rate = 0.5\n",
    "sub/dvc.yaml": "metrics: [m.json]\nartifacts: {other: {path: ../b}}\n",
    "sub/m.json": '{"c": 1}',
  });
  const read = async (source: Parameters<typeof topMetrics>[0]): Promise<unknown> => {
    const pipeline = value(await loadPipeline(source, "dvc"));
    return [
      value(await topMetrics(source, pipeline)),
      value(await topParams(source, pipeline)),
      pipeline.top.artifacts,
    ];
  };
  const artifacts = [
    { name: "best", path: "a", type: "model", labels: ["x"], desc: "the best" },
    { name: "other", path: "b" },
  ];
  const metrics = { "hand.json": { "a.b": 1.5 }, "live/more.json": { loss: 2 }, "sub/m.json": { c: 1 } };
  const expected = [{ metrics, missing: ["gone.json"] }, { "conf.toml": { rate: 0.5 } }, artifacts];
  expect(await read(workingTree(at.context))).toEqual(expected);
  write(at.path, { "hand.json": '{"a": {"b": 9}}', "conf.toml": "rate = 9\n" });
  expect(await read(value(await atRevision(at.context, "HEAD")))).toEqual(expected);
});

test("a fault beside the stages has its place", async () => {
  using at = project({ "dvc.yaml": "metrics: ['${nobody}.json', ../x.json]\n" });
  expect(await loadPipeline(workingTree(at.context), "dvc")).toMatchObject({
    failures: [
      {
        code: "file-invalid",
        at: { line: 1, column: 11 },
        problem: expect.stringMatching(/no variable "nobody"/) as string,
      },
    ],
  });
  write(at.path, { "dvc.yaml": "metrics: [/x.json]\nartifacts: {a: {path: ../x}}\n" });
  expect(await loadPipeline(workingTree(at.context), "dvc")).toMatchObject({
    failures: [
      { code: "unsupported", at: { line: 1 } },
      { code: "file-invalid", at: { line: 2 } },
    ],
  });
});
