import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CommandReader, parseCommand } from "../../../src/sandbox/actions/commands.ts";
import { ConcurrencyGroups, type GroupRequest } from "../../../src/sandbox/actions/concurrency.ts";
import { evaluate, type Contexts, type Value } from "../../../src/sandbox/actions/evaluate.ts";
import { parseAssignments } from "../../../src/sandbox/actions/filecommands.ts";
import { hashFiles } from "../../../src/sandbox/actions/hashfiles.ts";
import { Masker } from "../../../src/sandbox/actions/mask.ts";
import { combinationSuffix, expandMatrix } from "../../../src/sandbox/actions/matrix.ts";
import { effectivePermissions } from "../../../src/sandbox/actions/permissions.ts";
import { shellFor } from "../../../src/sandbox/actions/shell.ts";
import { unsafeReason } from "../../../src/sandbox/actions/provided/checkout/unsafe.ts";

const contexts: Contexts = { github: { actor: "ada", n: 2, list: [{ a: 1 }, { a: 2 }] }, env: { X: "y" }, empty: null };

test.each<[string, Value]>([
  ["github.actor", "ada"],
  ["github.Actor == 'ADA'", true],
  ["github.missing.too", null],
  ["github.n > 1 && 'big' || 'small'", "big"],
  ["join(github.list.*.a, '+')", "1+2"],
  ["fromJSON('{\"a\":[1]}').a[0]", 1],
  ["format('{0}''s {{}} isn''t', 'it')", "it's {} isn't"],
  ["contains('Hello', 'ell')", true],
  ["toJSON(env)", '{\n  "X": "y"\n}'],
])("expression %s", (expression, expected) => {
  expect(evaluate(expression, { file: "f", contexts })).toEqual({ ok: true, value: expected });
});

test("an expression that cannot be evaluated is a failure, not an exception", () => {
  const result = evaluate("fromJSON('{')", { file: "f.yml", contexts });
  expect(result).toMatchObject({ ok: false, failures: [{ code: "file-invalid", at: { file: "f.yml" } }] });
});

const AT = { file: "f", line: 1, column: 1 };
const expanded = (matrix: Value) => {
  const result = expandMatrix(matrix, AT);
  return result.ok ? result.value : result.failures.map((failure) => ("problem" in failure ? failure.problem : ""));
};

test("matrix: product, exclude, include", () => {
  expect(expanded(null)).toEqual([{}]);
  expect(expanded({ os: ["a", "b"], v: [1, 2], exclude: [{ os: "b", v: 1 }] })).toEqual([
    { os: "a", v: 1 },
    { os: "a", v: 2 },
    { os: "b", v: 2 },
  ]);
  // The example of GitHub's own documentation.
  expect(
    expanded({
      fruit: ["apple", "pear"],
      animal: ["cat", "dog"],
      include: [
        { color: "green" },
        { color: "pink", animal: "cat" },
        { fruit: "apple", shape: "circle" },
        { fruit: "banana" },
        { fruit: "banana", animal: "cat" },
      ],
    }),
  ).toEqual([
    { fruit: "apple", animal: "cat", color: "pink", shape: "circle" },
    { fruit: "apple", animal: "dog", color: "green", shape: "circle" },
    { fruit: "pear", animal: "cat", color: "pink" },
    { fruit: "pear", animal: "dog", color: "green" },
    { fruit: "banana" },
    { fruit: "banana", animal: "cat" },
  ]);
  expect(expanded({ include: [{ a: 1 }, { a: 2 }] })).toEqual([{ a: 1 }, { a: 2 }]);
  expect(expanded({ a: Array.from({ length: 17 }, () => 1), b: Array.from({ length: 16 }, () => 1) })).toEqual([
    "the matrix makes 272 jobs; a run has at most 256",
  ]);
  expect(expanded({ a: "text" })).toEqual(["`a` of a matrix is a list"]);
  expect(combinationSuffix({ os: "a", deep: { x: 1, y: true } })).toBe(" (a, 1, true)");
});

test("permissions: default, job over workflow, forks", () => {
  const granted = (...args: Parameters<typeof effectivePermissions>) =>
    Object.fromEntries(Object.entries(effectivePermissions(...args)).filter(([, level]) => level !== "none"));
  expect(granted(undefined, undefined, false)).toEqual({ contents: "read", packages: "read", metadata: "read" });
  expect(granted({}, undefined, false)).toEqual({ metadata: "read" });
  expect(granted({}, { contents: "write" }, false)).toEqual({ contents: "write", metadata: "read" });
  expect(granted({ contents: "write", "id-token": "write" }, undefined, true)).toEqual({
    contents: "read",
    metadata: "read",
  });
  expect(granted("write-all", undefined, true)["issues"]).toBe("read");
  expect(granted("read-all", undefined, false)["id-token"]).toBeUndefined();
});

test("workflow commands", () => {
  expect(parseCommand("::error file=a%2Cb.ts,line=3,title=T%3A1::one%0Atwo 100%25")).toEqual({
    name: "error",
    properties: { file: "a,b.ts", line: "3", title: "T:1" },
    message: "one\ntwo 100%",
  });
  expect(parseCommand("::group::My group")).toEqual({ name: "group", properties: {}, message: "My group" });
  expect(parseCommand("say ::error::x")).toBeUndefined();
  const reader = new CommandReader();
  expect(reader.read("::stop-commands::token")?.name).toBe("stop-commands");
  expect(reader.read("::error::no")).toBeUndefined();
  expect(reader.read("::token::")).toBeUndefined();
  expect(reader.read("::error::yes")?.message).toBe("yes");
  expect(reader.read("::unknown::x")).toBeUndefined();
});

test("file commands", () => {
  const read = (text: string) => {
    const result = parseAssignments(text, "GITHUB_OUTPUT");
    return result.ok ? Object.fromEntries(result.value) : result.failures[0];
  };
  expect(read("a=1\r\nb=x=y\n\nc<<EOF\none\n\ntwo=2\nEOF\na=2\n")).toEqual({ a: "2", b: "x=y", c: "one\n\ntwo=2" });
  expect(read("c<<EOF\nEOF\n")).toEqual({ c: "" });
  expect(read("c<<EOF\nnever")).toMatchObject({ problem: "matching delimiter not found 'EOF'" });
  expect(read("nothing")).toMatchObject({ problem: "invalid format 'nothing'" });
});

test("secrets are masked in every common form", () => {
  const masker = new Masker();
  masker.add("s3cret\nsecond line");
  masker.add('quo"te');
  const forms = ["s3cret", "second line", 'quo\\"te', "quo%22te", Buffer.from("s3cret").toString("base64")];
  for (const form of forms) expect(masker.mask(`<${form}>`)).toBe("<***>");
  expect(masker.holds("nothing")).toBe(false);
});

test("hashFiles", () => {
  const folder = mkdtempSync(join(tmpdir(), "lockstep-hash-"));
  mkdirSync(join(folder, "a/b"), { recursive: true });
  writeFileSync(join(folder, "a/lock.json"), "1");
  writeFileSync(join(folder, "a/b/lock.json"), "2");
  const both = hashFiles(folder, ["**/lock.json"]);
  expect(both).toMatch(/^[0-9a-f]{64}$/);
  expect(hashFiles(folder, ["a/b/*.json", "a/lock.json"])).toBe(both);
  expect(hashFiles(folder, ["**/lock.json", "!a/b/**"])).toBe(hashFiles(folder, ["a/lock.json"]));
  expect(hashFiles(folder, ["none"])).toBe("");
  rmSync(folder, { recursive: true });
});

test("shells", () => {
  const command = (name?: string) => {
    const shell = shellFor(name);
    return shell.ok ? shell.value.command.join(" ") : shell.failures[0].code;
  };
  expect(command()).toBe("bash -e {0}");
  expect(command("bash")).toBe("bash --noprofile --norc -e -o pipefail {0}");
  expect(command("node --eval 'x y' {0}")).toBe("node --eval x y {0}");
  expect(command("fish")).toBe("usage");
});

test("concurrency groups: one at a time, the newest waits, max keeps a line", async () => {
  const groups = new ConcurrencyGroups();
  const cancelled: string[] = [];
  const request = (name: string, extra: Partial<GroupRequest> = {}): GroupRequest => ({
    group: "G",
    cancelInProgress: false,
    queue: "single",
    cancel: () => cancelled.push(name),
    ...extra,
  });
  const [a, b, c] = [request("a"), request("b", { group: "g" }), request("c")];
  expect(await groups.enter(a)).toBe(true);
  const second = groups.enter(b);
  const third = groups.enter(c);
  expect(await second).toBe(false);
  expect(cancelled).toEqual(["b"]);
  groups.leave(a);
  expect(await third).toBe(true);
  const line = [request("d", { queue: "max" }), request("e", { queue: "max" })];
  const waiting = line.map(async (item) => groups.enter(item));
  const f = request("f", { cancelInProgress: true });
  const last = groups.enter(f);
  expect(await Promise.all(waiting)).toEqual([false, false]);
  expect(cancelled).toEqual(["b", "d", "e", "c"]);
  groups.leave(c);
  expect(await last).toBe(true);
});

test("concurrency groups: queue max lets each one through in order", async () => {
  const groups = new ConcurrencyGroups();
  const all = [1, 2, 3].map((): GroupRequest => ({
    group: "g",
    cancelInProgress: false,
    queue: "max",
    cancel: () => {},
  }));
  const entered: number[] = [];
  const waits = all.map(async (item, index) => {
    expect(await groups.enter(item)).toBe(true);
    entered.push(index);
    groups.leave(item);
  });
  await Promise.all(waits);
  expect(entered).toEqual([0, 1, 2]);
});

test("a fork's code is not checked out in a workflow with rights", () => {
  const event = { workflow_run: { event: "pull_request", head_sha: "abc", head_repository: { full_name: "eve/b" } } };
  const base = { eventName: "workflow_run", event, own: "a/b", repository: "a/b" };
  expect(unsafeReason({ ...base, ref: "" })).toBeUndefined();
  expect(unsafeReason({ ...base, ref: "main" })).toBeUndefined();
  expect(unsafeReason({ ...base, ref: "abc" })).toContain("Refusing");
  expect(unsafeReason({ ...base, ref: "refs/pull/1/head" })).toContain("Refusing");
  expect(unsafeReason({ ...base, repository: "eve/b", ref: "" })).toContain("Refusing");
  expect(unsafeReason({ ...base, eventName: "push", ref: "abc" })).toBeUndefined();
  const own = { workflow_run: { event: "pull_request", head_sha: "abc", head_repository: { full_name: "a/b" } } };
  expect(unsafeReason({ ...base, event: own, ref: "abc" })).toBeUndefined();
});
