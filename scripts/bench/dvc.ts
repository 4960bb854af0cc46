import { cpus } from "node:os";
import { join } from "node:path";
import type { Dataset } from "./dataset.ts";
import type { Command } from "./measure.ts";
import type { Place } from "./place.ts";
import { Side } from "./side.ts";
import type { Variant } from "./side.ts";

/** The defaults are four jobs a core; on two cores that is the same as `-j 8`, which then is not measured twice. */
const JOBS: readonly (readonly string[])[] = 4 * cpus().length === 8 ? [[]] : [[], ["-j", "8"]];

export class Dvc extends Side {
  readonly tool = "dvc";
  protected readonly cache: string;
  protected readonly traces = [".dvc", ".dvcignore", ".gitignore", "data.dvc", "large.bin.dvc"];

  constructor(place: Place, dataset: Dataset, bucket: string) {
    super(place, "dvc", dataset, bucket);
    this.cache = join(this.repository, ".dvc", "cache");
  }

  add(): Variant[] {
    return [this.#variant(this.repository, ["add"], [this.dataset.target])];
  }

  status(): Variant[] {
    return [this.#variant(this.repository, ["status"]), this.#variant(this.repository, ["data", "status"])];
  }

  push(counted = false): Variant[] {
    return JOBS.map((jobs) => this.#variant(this.repository, ["push", ...jobs], [], counted));
  }

  pull(): Variant[] {
    return JOBS.map((jobs) => this.#variant(this.clone, ["pull", ...jobs]));
  }

  pullOne(path: string): Variant[] {
    return [this.#variant(this.clone, ["pull"], [path], true)];
  }

  /** `what` does not count as part of its name. */
  #variant(cwd: string, words: readonly string[], what: readonly string[] = [], counted = false): Variant {
    return { name: ["dvc", ...words].join(" "), commands: [this.#command(cwd, [...words, ...what], counted)] };
  }

  /** Its index of inodes and its locks lie outside of the repository unless told: each repository gets its own. */
  #command(cwd: string, args: readonly string[], counted = false): Command {
    return this.place.command(cwd, ["dvc", ...args, "--quiet"], {
      AWS_ENDPOINT_URL: this.place.endpoint(counted),
      DVC_SITE_CACHE_DIR: `${cwd}-site`,
    });
  }

  protected init(): void {
    this.place.remove(`${this.repository}-site`);
    this.place.run(this.place.command(this.repository, ["git", "init", "--quiet"]));
    this.place.run(this.#command(this.repository, ["init"]));
    this.place.run(this.#command(this.repository, ["remote", "add", "--default", "bench", `s3://${this.bucket}/dvc`]));
  }

  protected fillClone(): void {
    this.place.remove(`${this.clone}-site`);
    this.place.run(this.place.command(this.clone, ["git", "clone", "--quiet", this.repository, "."]));
  }
}
