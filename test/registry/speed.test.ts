import { join } from "node:path";
import { expect, test } from "vitest";
import type { Gate, ModelLock } from "../../src/config/index.ts";
import { speedOf } from "../../src/registry/speed.ts";
import { digestOf, openStore } from "../../src/store/index.ts";
import { contextIn, temporary } from "../git/repository.ts";
import { value } from "../helpers/value.ts";
import { softmaxNetwork } from "../serve/onnx.ts";

type Options = Parameters<typeof speedOf>[2];
const GATES: Gate[] = [{ latency: "p50", max_ratio: 2, against: "base" }];

test("promotion measures the candidate beside production by itself, and only what would be a new version", async () => {
  using folder = temporary();
  const context = contextIn(folder.path, { LOCKSTEP_BENCHMARK_SECONDS: "0.2" });
  const store = value(openStore(context, `file://${join(folder.path, "store")}`));
  const [onnx, old] = [1, 2].map((scale) => softmaxNetwork("x", [[scale], [1]])) as [Buffer, Buffer];
  value(await store.put(old));
  const config = { value: { files: { "model.onnx": "build/model.onnx" } } };
  const model = { name: "toy", config } as unknown as Options["model"];
  const version = { version: 1, digest: digestOf(Buffer.from("v1")), files: { "model.onnx": digestOf(old) } };
  const lock = { versions: [version], aliases: { production: 1 } } as unknown as ModelLock;
  const measured = (digest: string): Parameters<typeof speedOf>[1] =>
    ({
      candidate: { digest, files: { "model.onnx": digestOf(onnx) } },
      files: new Map([["model.onnx", onnx]]),
    }) as unknown as Parameters<typeof speedOf>[1];
  const candidate = measured(digestOf(Buffer.from("v2")));

  const speed = await speedOf(context, candidate, { model, gates: GATES, lock, store });
  // What the branch promised before is what is in production: it stands for both.
  expect(speed).toMatchObject({
    kind: "measured",
    all: [
      { digest: digestOf(onnx), against: { what: "production", digest: digestOf(old) } },
      { digest: digestOf(onnx), against: { what: "base", digest: digestOf(old) } },
    ],
  });
  expect(await speedOf(context, candidate, { model, gates: [{ check: "a" }], lock, store })).toBeUndefined();
  const known = await speedOf(context, measured(version.digest), { model, gates: GATES, lock, store });
  expect(known).toMatchObject({ kind: "none" });
  const lost = { ...version, files: { "model.onnx": digestOf(Buffer.from("lost")) } };
  const gone = { ...lock, versions: [lost] } as unknown as ModelLock;
  expect(await speedOf(context, candidate, { model, gates: GATES, lock: gone, store })).toMatchObject({
    kind: "missing",
  });
}, 60_000);
