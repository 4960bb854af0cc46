import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spawn } from "../../src/core/index.ts";
import { write } from "../git/repository.ts";
import { awake, commentDom, orders, unseen } from "../report/judge.ts";
import { IMPATIENT, MODEL, params, PROVIDE, settings, setUp } from "./gates.ts";
import { NAME, openRig, root } from "./rig.ts";
import type { Rig } from "./rig.ts";

interface Shown {
  readonly comment: string;
  readonly check: string | null;
  readonly status: string;
  /** Rule -> whether it passed, and what was found. */
  readonly gates: Map<string, readonly [passed: boolean, found: string]>;
}

/** Gates, views and thresholds as a reviewer meets them: real workflow files and actions, a compiled pipeline. */
describe("gates in a pull request", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
    await setUp(rig);
    await rig.settle();
  }, 300_000);
  afterAll(async () => rig.close());

  async function propose(branch: string, files: Readonly<Record<string, string>>): Promise<Shown> {
    await rig.run("git", ["checkout", "-q", "-B", branch, "origin/main"]);
    write(rig.clone, files);
    await rig.run("git", ["add", "-A"]);
    await rig.run("git", ["commit", "-q", "-m", branch]);
    await rig.run("git", ["push", "-q", "origin", branch]);
    const { number } = await rig.api<{ number: number }>("POST", "/pulls", {
      title: branch,
      head: branch,
      base: "main",
    });
    await rig.settle();
    const { comments, checkRuns, statuses } = rig.sandbox.world.repositories.get(NAME)!;
    const sha = (await rig.run("git", ["rev-parse", "HEAD"])).trim();
    const comment =
      comments.filter(({ issue, body }) => issue === number && body.includes("accuracy")).at(-1)?.body ?? "";
    const rows = comment.matchAll(/^\| (✅|❌)[^|]*\| (.*?) \| (.*) \|$/gmu);
    return {
      comment,
      check: checkRuns.findLast((run) => run.headSha === sha && run.name === "lockstep (toy)")?.conclusion ?? null,
      status: statuses.findLast((one) => one.sha === sha && one.context === "lockstep/gates (toy)")?.state ?? "",
      gates: new Map(
        [...rows].map(([, sign, rule = "", found = ""]) => [rule.replaceAll("`", ""), [sign === "✅", found]]),
      ),
    };
  }
  const compare = async (...args: string[]): ReturnType<typeof spawn> =>
    spawn(process.execPath, [join(root, "bin", "lockstep.js"), "compare", ...args], {
      cwd: rig.clone,
      env: { ...process.env, LOCKSTEP_STORE: `file://${rig.store}` },
    });
  const gate = ({ gates }: Shown, start: string): readonly [boolean, string] | undefined =>
    [...gates].find(([rule]) => rule.startsWith(start))?.[1];
  const lock = (): { versions: { version: number; threshold: number; metrics: Record<string, number> }[] } =>
    JSON.parse(readFileSync(join(rig.clone, "models/toy/lock.json"), "utf8")) as ReturnType<typeof lock>;

  it("promotes a first version with the threshold that was chosen for it", async () => {
    await rig.run("git", ["pull", "-q", "--ff-only", "origin", "main"]);
    expect(lock().versions).toMatchObject([{ version: 1, threshold: 0.4501 }]);
    // The predictions file says 0 throughout: this is the threshold's doing.
    expect(lock().versions[0]?.metrics).toMatchObject({ accuracy: 0.975 });
  });

  it("pass: the last job of the compiled workflow measures, from a folder, beside production", async () => {
    const shown = await propose("good", {
      "params.json": params({ wrong: 6 }),
      "models/impatient/model.yaml": IMPATIENT,
    });
    expect(gate(shown, "p95 latency")).toMatchObject([true, expect.stringMatching(/ms|us|the same file/)]);
    expect(gate(shown, "words.txt")).toMatchObject([true, "500 B"]);
    const toy = [...shown.gates].filter(([rule]) => !rule.startsWith("p50 latency"));
    expect(toy.length).toBe(7);
    expect(toy.filter(([, [passed]]) => !passed)).toEqual([]);
    // The new model's own gate is one that no machine passes.
    expect(gate(shown, "p50 latency")).toMatchObject([false, expect.stringContaining("that is more than 0.001us")]);
    expect([shown.check, shown.status]).toEqual(["failure", "failure"]);
    const result = rig
      .runs()
      .findLast(({ path }) => path.endsWith("lockstep-toy.yml"))!
      .jobs.find(({ name }) => name === "result");
    expect(result?.steps.find(({ name }) => name === PROVIDE)?.conclusion).toBe("success");
  }, 300_000);

  it("shows engineers what serving takes, and hostile previews as text", async () => {
    const shown = await propose("serving", { "params.json": params({ wrong: 4 }) });
    expect([shown.check, shown.status]).toEqual(["success", "success"]);
    const at = ["| serving", "<summary>Stages", "| metric"].map((start) => shown.comment.indexOf(start));
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    expect(at[0]).toBeGreaterThan(0);
    expect(shown.comment).toMatch(/\| p95\u00a0?.latency.* \| the same file \|/);
    expect(shown.comment).toMatch(/\| `words\.txt`.* 500 B \|/);
    expect(shown.comment).toMatch(/<summary>Flipped predictions/);
    const links = [...shown.comment.matchAll(/\]\((http[^)]*)\)/g)].map(([, url = ""]) => url);
    expect(links.map((url) => new URL(url).pathname.replaceAll(/\d+/g, "N"))).toEqual([
      `/${NAME}/actions/runs/N`,
      `/${NAME}/actions/runs/N/artifacts/N`,
    ]);
    const dom = await commentDom(shown.comment.replace(/<sub>[^]*$/, "").replace(/<!-- lockstep[^>]*-->/, ""));
    expect(awake(dom, links)).toEqual([]);
    expect([unseen(shown.comment), orders(shown.comment)]).toEqual([[], []]);
  }, 300_000);

  it("fail, each with what was found; edits of gates, formula, threshold, card and view do not help", async () => {
    const loosened = MODEL.replace(/gates:\n[^]*serving/, "gates: []\nserving")
      .replace("tp * 4 - fp * 2", "tp * 4000")
      .replace(/threshold: .*/, "threshold: 0.01\n  margins: {accuracy: 0.5}")
      .replace(/card: .*\n/, "");
    const shown = await propose("bad", {
      "params.json": params({ wrong: 90, words: 300, unlabelled: 3 }),
      "models/toy/model.yaml": loosened,
      ".github/lockstep.yml": settings("business"),
    });
    expect([shown.check, shown.status]).toEqual(["failure", "failure"]);
    expect([...shown.gates].filter(([, [passed]]) => passed).map(([rule]) => rule)).toEqual([
      expect.stringMatching(/^p95 latency/),
    ]);
    expect(gate(shown, "check labels")).toEqual([false, "3 rows have no label"]);
    expect(gate(shown, "words.txt")?.[1]).toBe("1.5 kB, 500 B too large");
    expect(gate(shown, "card says")?.[1]).toContain("limitations");
    expect(gate(shown, "accuracy at least 0.8 in every region")?.[1]).toContain("region=south");
    expect(gate(shown, "accuracy at most 0.05 worse than production")?.[1]).toContain("the loss is larger than that");
    // By the old formula: by the new one it would be in the hundred thousands.
    expect(gate(shown, "saved at least EUR 700")?.[1]).toBe("EUR 530, EUR 170 too low");
    expect(shown.comment).toContain("edits the gates");
    expect(shown.comment).toContain("edits the evaluation");
    expect(shown.comment).toContain("| serving");
    await rig.run("git", ["fetch", "-q", "origin"]);
    const compared = await compare("origin/main", "bad");
    expect(`${compared.exitCode} ${compared.stdout.toString()}${compared.stderr}`).toMatch(/^1 [^]*FAIL +check labels/);
  }, 300_000);

  it("a merged pull request's threshold travels with its version, and versions are compared by their own", async () => {
    await rig.run("git", ["checkout", "-q", "main"]);
    await rig.run("git", ["pull", "-q", "--ff-only", "origin", "main"]);
    write(rig.clone, { "params.json": params({ cut: 0.6, words: 101 }) });
    await rig.run("git", ["commit", "-q", "-am", "Other scores"]);
    await rig.run("git", ["push", "-q", "origin", "main"]);
    await rig.settle();
    await rig.run("git", ["pull", "-q", "--ff-only", "origin", "main"]);
    expect(lock().versions.map(({ version, threshold }) => [version, threshold])).toEqual([
      [1, 0.4501],
      [2, 0.6501],
    ]);
    const compared = (await compare("toy@v1", "toy@v2")).stdout.toString();
    // Other scores, the same answers: only so where each side is cut at its own threshold.
    expect(compared).toMatch(/^accuracy ↑ +0\.9750 +0\.9750 +0 /m);
    expect(compared).toContain("is 0.6501; on the base 0.4501");
  }, 300_000);
});
