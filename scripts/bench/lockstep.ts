import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "./measure.ts";
import type { Dataset } from "./dataset.ts";
import type { Place } from "./place.ts";
import { Side } from "./side.ts";
import type { Variant } from "./side.ts";

/** Builds a checkout's command line as it is released, in a folder of its own, and gives the file to start. */
export function installLockstep(place: Place, checkout: string): string {
  const folder = join(place.folder, "lockstep");
  mkdirSync(folder);
  place.run(place.command(checkout, [process.execPath, "scripts/build.ts", "--into", folder]));
  cpSync(join(checkout, "bin"), join(folder, "bin"), { recursive: true });
  cpSync(join(checkout, "package.json"), join(folder, "package.json"));
  symlinkSync(join(checkout, "node_modules"), join(folder, "node_modules"));
  return join(folder, "bin", "lockstep.js");
}

export class Lockstep extends Side {
  readonly tool = "lockstep";
  protected readonly cache: string;
  protected readonly traces = [".lockstep", ".github", ".gitignore", "data.lock.json"];
  readonly #program: string;

  constructor(place: Place, program: string, dataset: Dataset, bucket: string) {
    super(place, "lockstep", dataset, bucket);
    this.#program = program;
    this.cache = join(this.repository, ".lockstep", "cache");
  }

  add(): Variant[] {
    return this.#do(this.repository, ["add", this.dataset.target]);
  }

  status(): Variant[] {
    return this.#do(this.repository, ["status"]);
  }

  push(counted = false): Variant[] {
    return this.#do(this.repository, ["push"], counted);
  }

  pull(): Variant[] {
    return this.#do(this.clone, ["pull"]);
  }

  pullOne(path: string): Variant[] {
    return this.#do(this.clone, ["pull", "--path", path], true);
  }

  /** What it costs to start and do nothing. */
  start(): Command {
    return this.place.command(this.place.folder, [process.execPath, this.#program, "help"]);
  }

  #do(cwd: string, args: readonly string[], counted = false): Variant[] {
    const command = this.place.command(cwd, [process.execPath, this.#program, "data", ...args], {
      AWS_ENDPOINT_URL: this.place.endpoint(counted),
    });
    return [{ name: `lockstep data ${args[0]}`, commands: [command] }];
  }

  protected init(): void {
    this.place.run(this.place.command(this.repository, ["git", "init", "--quiet"]));
    mkdirSync(join(this.repository, ".github"));
    writeFileSync(join(this.repository, ".github", "lockstep.yml"), `version: 1\nstore: s3://${this.bucket}/store\n`);
  }

  protected fillClone(): void {
    this.place.run(this.place.command(this.clone, ["git", "clone", "--quiet", this.repository, "."]));
  }
}
