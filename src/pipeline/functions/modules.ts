import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { compareCodeUnits, failedIfAny, isRelativePath, nearest, ok } from "../../core/index.ts";
import type { Failure, Location, RelativePath, Result } from "../../core/index.ts";
import type { Source } from "../../git/index.ts";
import type { LooseStage } from "../stage.ts";
import type { StageFunction } from "./declare.ts";
import { parseModule } from "./parse-module.ts";
import type { ParsedModule } from "./parse-module.ts";

/** What a module needs to run. */
interface ModuleGraph {
  /** Files of the repository, the module itself included, in code-unit order. */
  readonly files: readonly RelativePath[];
  /** The lockfile that says which packages it gets; null: it imports none, or there is no lockfile above it. */
  readonly lockfile: RelativePath | null;
  /** What it exports; undefined where a package or CommonJS has a say in it. */
  readonly exports: readonly string[] | undefined;
}

const LOCKFILES = ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"];

/** The modules of a tree, each read once, in the working tree or from git's objects. */
export class ModuleFiles {
  readonly #source: Source;
  readonly #parsed = new Map<string, Promise<Result<ParsedModule | undefined>>>();
  readonly #graphs = new Map<string, Promise<Result<ModuleGraph>>>();

  constructor(source: Source) {
    this.#source = source;
  }

  /** The stage with all that its function is made of among its deps, and with what is wrong with that. */
  async complete(stage: LooseStage): Promise<{ readonly stage: LooseStage; readonly failures: readonly Failure[] }> {
    const { run } = stage;
    if (run === null) return { stage, failures: [] };
    const graph = await this.#graph(run.module);
    if (!graph.ok) return { stage, failures: graph.failures };
    const { files, lockfile, exports } = graph.value;
    const { where } = run;
    const known = new Set<string>(stage.deps.map(({ path }) => path));
    const deps = files.filter((path) => !known.has(path)).map((path) => ({ path, where }));
    const locked = stage.env.files.map(({ path }) => path);
    const env = lockfile === null || locked.includes(lockfile) ? [] : [{ path: lockfile, where }];
    return {
      stage: {
        ...stage,
        deps: [...stage.deps, ...deps].sort((a, b) => compareCodeUnits(a.path, b.path)),
        env: { ...stage.env, files: [...stage.env.files, ...env].sort((a, b) => compareCodeUnits(a.path, b.path)) },
      },
      failures: exports === undefined ? [] : notExported(run, exports, stage.at(where)),
    };
  }

  #graph(entry: RelativePath): Promise<Result<ModuleGraph>> {
    const known = this.#graphs.get(entry) ?? this.#walk(entry);
    this.#graphs.set(entry, known);
    return known;
  }

  async #walk(entry: RelativePath): Promise<Result<ModuleGraph>> {
    const files = new Set([entry]);
    const failures: Failure[] = [];
    let packages = false;
    const reads = new Map<string, ParsedModule>();
    // What is added while it goes on is visited too.
    for (const file of files) {
      const module = await this.#read(file);
      if (!module.ok) {
        failures.push(...module.failures);
        continue;
      }
      if (module.value === undefined) continue; // only the entry: told as a dep that is not there
      reads.set(file, module.value);
      for (const { specifier, at } of module.value.imports) {
        if (!/^\.\.?(\/|$)/.test(specifier)) {
          packages ||= !isBuiltin(specifier);
          continue;
        }
        const target = targetOf(file, specifier);
        if (files.has(target)) continue;
        const there = isRelativePath(target) ? await this.#source.stat(target) : ok(undefined);
        if (!there.ok) failures.push(...there.failures);
        else if (there.value === "file") files.add(target);
        else failures.push(await this.#lost(specifier, target, at));
      }
    }
    const lockfile = packages ? await this.#lockfileFor(entry) : ok(null);
    if (!lockfile.ok) return lockfile;
    return (
      failedIfAny(failures) ??
      ok({ files: [...files].sort(compareCodeUnits), lockfile: lockfile.value, exports: exportsOf(entry, reads) })
    );
  }

  #read(file: string): Promise<Result<ParsedModule | undefined>> {
    const read = async (): Promise<Result<ParsedModule | undefined>> => {
      const bytes = await this.#source.read(file);
      return bytes.ok && bytes.value !== undefined ? parseModule(file, bytes.value) : (bytes as Result<undefined>);
    };
    const known = this.#parsed.get(file) ?? read();
    this.#parsed.set(file, known);
    return known;
  }

  async #lost(specifier: string, target: string, at: Location): Promise<Failure> {
    if (!isRelativePath(target))
      return { code: "file-invalid", at, problem: `imports ${specifier}, which is outside of the repository` };
    const listed = await this.#source.list(posix.dirname(target) === "." ? "" : posix.dirname(target));
    const stem = /^(.*\/)?[^/.]+/.exec(target)?.[0];
    const near = listed.ok
      ? listed.value.find((path) => path.startsWith(`${stem}.`) || path.startsWith(`${target}/index.`))
      : undefined;
    const hint = near === undefined ? undefined : `there is ${near}; an import names the file with its ending`;
    const problem = `imports ${specifier}, which does not exist`;
    return { code: "file-invalid", at, problem, ...(hint === undefined ? {} : { hint }) };
  }

  async #lockfileFor(entry: string): Promise<Result<RelativePath | null>> {
    for (let folder = posix.dirname(entry); ; folder = posix.dirname(folder)) {
      for (const name of LOCKFILES) {
        const path = posix.join(folder, name) as RelativePath;
        const there = await this.#source.stat(path);
        if (!there.ok) return there;
        if (there.value === "file") return ok(path);
      }
      if (folder === ".") return ok(null);
    }
  }
}

function targetOf(importer: string, specifier: string): RelativePath {
  const path = specifier.replace(/[?#].*$/s, "");
  let decoded = path;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    // no escape of a URL: then it is meant as it stands
  }
  return posix.join(posix.dirname(importer), decoded) as RelativePath;
}

function exportsOf(file: string, modules: ReadonlyMap<string, ParsedModule>): readonly string[] | undefined {
  const names = new Set<string>();
  const files = new Set([file]);
  for (const at of files) {
    const module = modules.get(at);
    if (module?.exports === undefined) return undefined;
    for (const name of module.exports) names.add(name);
    for (const { specifier, star } of module.imports) if (star) files.add(targetOf(at, specifier));
  }
  return [...names];
}

function notExported({ module, name }: StageFunction, exports: readonly string[], at: Location): Failure[] {
  if (exports.includes(name)) return [];
  const near = nearest(name, exports);
  const has = exports.length === 0 ? "it exports nothing" : `it exports ${exports.slice(0, 10).join(", ")}`;
  const hint = near === undefined ? has : `did you mean "${near}"?`;
  return [{ code: "file-invalid", at, problem: `${module} exports no "${name}"`, hint }];
}
