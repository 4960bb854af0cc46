import { describe, fail, ok } from "../../core/index.ts";
import type { Digest, Result } from "../../core/index.ts";
import type { Source } from "../../git/index.ts";
import { readContent, readTree } from "../../store/index.ts";
import type { Store } from "../../store/index.ts";
import type { Side } from "../side.ts";
import { imageType } from "./image.ts";
import { TABLES } from "./table.ts";

/** Of one plot file, and of all that one report reads. */
const FILE_BYTES = 16 * 1024 ** 2;
const ALL_BYTES = 64 * 1024 ** 2;
/** Files of one folder that are drawn. */
const FOLDER = 50;

/** A file under a plot's path, not read yet. */
export interface PlotFile {
  readonly path: string;
  readonly read: () => Promise<Result<Buffer>>;
}

/** One side's plot files: outputs from the stores, the rest from git. What is read is bounded over all of them. */
export class PlotFiles {
  readonly #side: Side;
  readonly #source: Source;
  readonly #stores: readonly Store[];
  readonly #budget: { bytes: number };

  constructor(side: Side, source: Source, stores: readonly Store[], budget = { bytes: ALL_BYTES }) {
    this.#side = side;
    this.#source = source;
    this.#stores = stores;
    this.#budget = budget;
  }

  /** A file, or the tables and images of a folder; none: there is nothing there. */
  async at(path: string): Promise<Result<PlotFile[]>> {
    const { hidden } = this.#side;
    if (hidden?.has(path) === true) return fail({ code: "external", what: path, problem: "it is held out" });
    const whole = this.#side.outputs.get(path);
    if (whole?.kind === "file") return ok([this.#stored(path, whole)]);
    const [root, folder] =
      [...this.#side.outputs].find(
        ([out, { kind }]) => kind === "tree" && (out === path || path.startsWith(`${out}/`)),
      ) ?? [];
    if (root !== undefined && folder !== undefined) {
      const entries = await readTree(folder.digest, this.#stores, path);
      if (!entries.ok) return entries;
      const inside = entries.value
        .map((entry) => ({ ...entry, path: `${root}/${entry.path}` }))
        .filter((entry) => hidden === undefined || !(hidden.has(entry.path) || hidden.has(entry.digest)));
      const file = inside.find((entry) => entry.path === path);
      if (file !== undefined) return ok([this.#stored(path, file, folder.digest)]);
      const below = inside.filter((entry) => entry.path.startsWith(`${path}/`) && isDrawn(entry.path));
      return ok(below.slice(0, FOLDER).map((entry) => this.#stored(entry.path, entry, folder.digest)));
    }
    const kind = await this.#source.stat(path);
    if (!kind.ok) return kind;
    if (kind.value === undefined) return ok([]);
    const listed = kind.value === "folder" ? await this.#source.list(path) : ok([path]);
    if (!listed.ok) return listed;
    const files = kind.value === "folder" ? listed.value.filter(isDrawn).slice(0, FOLDER) : listed.value;
    return ok(files.map((file) => ({ path: file, read: async () => this.#kept(file) })));
  }

  #stored(path: string, entry: { digest: Digest; size: number }, root: Digest = entry.digest): PlotFile {
    return {
      path,
      read: async () => {
        const refused = this.#charge(path, entry.size);
        const { digest, size } = entry;
        return refused ?? readContent(this.#stores, root, { digest, size, label: path, maxBytes: FILE_BYTES });
      },
    };
  }

  async #kept(path: string): Promise<Result<Buffer>> {
    const bytes = await this.#source.read(path);
    if (!bytes.ok) return bytes;
    if (bytes.value === undefined) return fail({ code: "file-missing", path });
    return this.#charge(path, bytes.value.length) ?? ok(bytes.value);
  }

  #charge(path: string, size: number): Result<never> | undefined {
    const problem = size > FILE_BYTES ? `it has more than ${FILE_BYTES} bytes` : "the report has read enough plots";
    if (size > FILE_BYTES || size > this.#budget.bytes) return fail({ code: "external", what: path, problem });
    this.#budget.bytes -= size;
    return undefined;
  }
}

function isDrawn(path: string): boolean {
  return TABLES.test(path) || imageType(path) !== undefined;
}

/** Why a file could not be drawn, as a note. */
export function noteOf(failed: Extract<Result<never>, { ok: false }>): string {
  return describe(failed.failures[0]);
}
