import { join, resolve } from "node:path";
import { Command } from "commander";
import { all, fail, ok } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import { git, workingTree } from "../../git/index.ts";
import { chooseModels, findVersion, loadModelLock, moveAlias } from "../../registry/index.ts";
import type { Found, MoveAliasOptions } from "../../registry/index.ts";
import { localCache, openStore, storeUrl } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import type { Answer, Edge } from "../command.ts";
import { benchmark } from "./model-benchmark.ts";
import type { BenchmarkCommand } from "./model-benchmark.ts";
import { bytes, table } from "../text.ts";

const REFERENCE = "name, name@alias or name@version (churn@3, churn@v3); production when none is said";

interface Where {
  readonly remote: string;
  readonly branch?: string;
}

export function build(edge: Edge): Command {
  const model = new Command("model")
    .summary("look at the registry, fetch and choose versions")
    .description("Models of this repository: versions and aliases are in models/<name>/lock.json.");
  const sub = (usage: string, summary: string): Command => model.command(usage).summary(summary).description(summary);
  sub("list", "list the models and what is in production").action(async () =>
    edge.out.answer(await list(edge.context())),
  );
  sub("show <model>", "show a version")
    .usage(`<model>    ${REFERENCE}`)
    .action(async (reference: string) => edge.out.answer(await show(edge.context(), reference)));
  sub("verify <model>", "read every file of a version and compare it with its digest").action(
    async (reference: string) => edge.out.answer(await verify(edge.context(), reference)),
  );
  sub("pull <model>", "write the files of a version to a folder")
    .option("--out <dir>", "folder; .lockstep/models/<name>/v<version> when absent")
    .action(async (reference: string, options: { out?: string }) =>
      edge.out.answer(await pull(edge, reference, options.out)),
    );
  sub("benchmark <model>", "measure latency and throughput on this machine, beside another version")
    .usage("<model>    name (what the working tree's pipeline has made), name@alias or name@version")
    .option("--against <version>", "alias or number of the version it is measured beside; none: alone", "production")
    .option("--seconds <n>", "time to spend", "10")
    .action(async (reference: string, options: BenchmarkCommand) =>
      edge.out.answer(await benchmark(edge.context(), reference, options)),
    );
  const moving = (usage: string, summary: string): Command =>
    sub(usage, summary)
      .option("--remote <name>", "remote whose branch is changed", "origin")
      .option("--branch <name>", "the default branch; what the remote says it is when absent");
  moving("promote <model> <version>", "make a version that is in the registry the one in production").action(
    async (name: string, version: string, where: Where) =>
      edge.out.answer(await move(edge.context(), where, { model: name, to: version })),
  );
  moving("alias <model> <alias> <version>", "give an alias to a version").action(
    async (name: string, alias: string, version: string, where: Where) =>
      edge.out.answer(await move(edge.context(), where, { model: name, alias, to: version })),
  );
  moving("rollback <model> [version]", "put the version before this one, or a given one, back in production").action(
    async (name: string, version: string | undefined, where: Where) =>
      edge.out.answer(await move(edge.context(), where, { model: name, to: version ?? "previous" })),
  );
  return model;
}

async function list(context: Context): Promise<Result<Answer>> {
  const source = workingTree(context);
  const models = await chooseModels(source);
  if (!models.ok) return models;
  const locks = all(await Promise.all(models.value.map(({ name }) => loadModelLock(source, name))));
  if (!locks.ok) return locks;
  const rows = locks.value.map(({ model, versions, aliases }) => [
    model,
    `${versions.length} ${versions.length === 1 ? "version" : "versions"}`,
    Object.entries(aliases)
      .map(([alias, version]) => `${alias}: ${version ?? "none"}`)
      .join(", "),
  ]);
  const json = { models: locks.value.map(({ model, versions, aliases }) => ({ model, versions, aliases })) };
  return ok({ json, text: rows.length === 0 ? "no models" : table(rows) });
}

async function show(context: Context, reference: string): Promise<Result<Answer>> {
  const found = await findVersion(workingTree(context), reference);
  if (!found.ok) return found;
  const { version, lock } = found.value;
  const aliases = Object.entries(lock.aliases).flatMap(([alias, number]) =>
    number === version.version ? [alias] : [],
  );
  const rows = [
    ["version", [String(version.version), ...aliases].join(", ")],
    ["digest", version.digest],
    ["commit", version.commit],
    ["verdict", version.verdict],
    ["pull request", version.pullRequest === null ? "none" : `#${version.pullRequest}`],
    ["promoted", version.createdAt],
    ["release", version.release],
    ["size", bytes(version.size)],
    ...Object.entries(version.metrics).map(([name, value]) => [name, String(value)]),
    ...Object.entries(version.files).map(([name, digest]) => [name, digest]),
  ];
  return ok({ json: { model: found.value.model.name, aliases, ...version }, text: table(rows) });
}

async function verify(context: Context, reference: string): Promise<Result<Answer>> {
  const opened = await open(context, reference);
  if (!opened.ok) return opened;
  const { found, store } = opened.value;
  const files = Object.entries(found.version.files);
  const read = all(await Promise.all(files.map(async ([, digest]) => store.read(digest))));
  if (!read.ok) return read;
  const text = `version ${found.version.version}: ${files.length} files are what the lockfile says`;
  return ok({ json: { model: found.model.name, version: found.version.version, files: files.length }, text });
}

async function pull(edge: Edge, reference: string, out: string | undefined): Promise<Result<Answer>> {
  const context = edge.context();
  const opened = await open(context, reference);
  if (!opened.ok) return opened;
  const { found, store } = opened.value;
  const { name } = found.model;
  const inside = join(context.cwd, ".lockstep", "models", name, `v${found.version.version}`);
  const folder = out === undefined ? inside : resolve(edge.folder, out);
  for (const [file, digest] of Object.entries(found.version.files)) {
    const written = await store.toFile(digest, join(folder, file));
    if (!written.ok) return written;
  }
  const json = { model: name, version: found.version.version, folder, files: Object.keys(found.version.files) };
  return ok({ json, text: `${name} version ${found.version.version} is in ${folder}` });
}

/** The version and a store that has its files: the local cache where it has them all, else the team's. */
async function open(context: Context, reference: string): Promise<Result<{ found: Found; store: Store }>> {
  const source = workingTree(context);
  const found = await findVersion(source, reference);
  if (!found.ok) return found;
  const cache = localCache(context);
  const here = all(await Promise.all(Object.values(found.value.version.files).map((digest) => cache.has(digest))));
  if (here.ok && here.value.every(Boolean)) return ok({ found: found.value, store: cache });
  const url = await storeUrl(context, source);
  if (!url.ok) return url;
  const store = openStore(context, url.value);
  return store.ok ? ok({ found: found.value, store: store.value }) : store;
}

async function move(
  context: Context,
  where: Where,
  wanted: { readonly model: string; readonly alias?: string; readonly to: string },
): Promise<Result<Answer>> {
  if (wanted.to !== "previous" && !/^[1-9]\d{0,8}$/.test(wanted.to)) {
    return fail({ code: "usage", message: `"${wanted.to}" is not the number of a version` });
  }
  const to: MoveAliasOptions["to"] = wanted.to === "previous" ? "previous" : Number(wanted.to);
  const branch = where.branch === undefined ? await defaultBranch(context, where.remote) : ok(where.branch);
  if (!branch.ok) return branch;
  const author = await identity(context);
  if (!author.ok) return author;
  const { remote } = where;
  const moved = await moveAlias(context, { ...wanted, remote, branch: branch.value, author: author.value, to });
  if (!moved.ok) return moved;
  const { model, alias, version, changed } = moved.value;
  const said = changed ? `is now version ${version}` : `is version ${version} already`;
  return ok({ json: moved.value, text: `${model}: ${alias} ${said}` });
}

async function defaultBranch(context: Context, remote: string): Promise<Result<string>> {
  const head = await git(context, ["ls-remote", "--symref", "--end-of-options", remote, "HEAD"]);
  if (!head.ok) return head;
  const name = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(head.value)?.[1];
  if (name !== undefined) return ok(name);
  return fail({
    code: "usage",
    message: `the remote ${remote} does not say which branch is its default; give --branch`,
  });
}

/** Who commits, as git knows it. */
async function identity(context: Context): Promise<Result<{ name: string; email: string }>> {
  const line = await git(context, ["var", "GIT_COMMITTER_IDENT"]);
  if (!line.ok) return line;
  const [, name = "", email = ""] = /^(.*) <(.*)> \d+ [+-]\d+$/.exec(line.value.trim()) ?? [];
  return ok({ name, email });
}
