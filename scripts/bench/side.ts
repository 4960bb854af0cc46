import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Dataset } from "./dataset.ts";
import type { Command } from "./measure.ts";
import type { Place } from "./place.ts";

/** One way to do a job: with a tool's defaults, or with the settings that make it faster. */
export interface Variant {
  readonly name: string;
  readonly commands: readonly Command[];
}

/** One tool with one dataset, in a repository of its own. What it does not do is an empty list. */
export abstract class Side {
  abstract readonly tool: string;
  readonly dataset: Dataset;
  readonly repository: string;
  readonly clone: string;
  protected readonly place: Place;
  /** The bucket that is this side's alone. */
  readonly bucket: string;

  constructor(place: Place, tool: string, dataset: Dataset, bucket: string) {
    this.place = place;
    this.dataset = dataset;
    this.bucket = bucket;
    this.repository = join(place.folder, `${tool}-${dataset.name}`);
    this.clone = `${this.repository}-clone`;
  }

  abstract add(): Variant[];
  abstract status(): Variant[];
  /** With `counted` by way of the counting proxy. */
  abstract push(counted?: boolean): Variant[];
  /** Brings everything into the empty clone. */
  abstract pull(): Variant[];
  /** Brings one file into the empty clone, by way of the counting proxy. */
  abstract pullOne(path: string): Variant[];
  /** Whether it speaks to the S3 server, so that the proxy sees it. */
  readonly speaksS3: boolean = true;
  /** Where the tool keeps its own copy of the bytes. */
  protected abstract readonly cache: string;
  /** Makes a repository, with the tool set up in it, around the dataset's files. */
  protected abstract init(): void;
  /** Paths in the repository that the tool made. */
  protected abstract readonly traces: readonly string[];
  /** Fills the empty folder `clone` from the repository. */
  protected abstract fillClone(): void;

  /** The dataset stands in the repository, and the tool knows nothing of it. */
  forget(): void {
    this.place.remove(...[".git", ...this.traces].map((name) => join(this.repository, name)));
    this.ensureHere();
    this.init();
  }

  /** The dataset is added and committed. */
  ensureAdded(): void {
    if (existsSync(this.#mark("added"))) return;
    if (!existsSync(join(this.repository, ".git"))) this.forget();
    this.dataset.place(this.repository);
    for (const command of this.add()[0]?.commands ?? []) this.place.run(command);
    this.commit();
    writeFileSync(this.#mark("added"), "");
  }

  /** The dataset's files are in this repository. */
  ensureHere(): void {
    mkdirSync(this.repository, { recursive: true });
    this.dataset.place(this.repository);
  }

  /** The dataset's files are in this repository and have just been read. */
  warm(): void {
    this.ensureHere();
    this.place.run(
      this.place.shell(this.repository, `find ${this.dataset.target} -type f -print0 | xargs -0 cat > /dev/null`),
    );
  }

  /** Whether a path of the clone holds what the repository holds there. @throws CommandFailed */
  holdsSame(path: string): void {
    this.place.run(this.place.shell(this.clone, `diff -rq '${join(this.repository, path)}' '${path}'`));
  }

  commit(): void {
    this.place.run(
      this.place.shell(this.repository, "git add --all . && git commit --quiet --message data --allow-empty"),
    );
  }

  /** The remote holds nothing. */
  emptyRemote(): void {
    this.place.remove(this.#mark("pushed"));
    const bucket = join(this.place.s3.folder, this.bucket);
    // Below the server: to ask it to delete 100,000 objects takes longer than most runs.
    this.place.run(this.place.shell(bucket, "find . -mindepth 1 -delete"));
  }

  ensurePushed(): void {
    this.ensureAdded();
    if (existsSync(this.#mark("pushed"))) return;
    for (const command of this.push().at(-1)?.commands ?? []) this.place.run(command);
    this.pushed();
  }

  /** Says that the remote holds all by now. */
  pushed(): void {
    writeFileSync(this.#mark("pushed"), "");
  }

  emptyClone(): void {
    this.place.remove(this.clone);
    mkdirSync(this.clone);
    this.fillClone();
  }

  /** What the tool keeps beside the dataset's own files. */
  cached(): { readonly files: number; readonly bytes: number } {
    return this.place.filesBelow(this.cache);
  }

  /** What the remote keeps. The S3 server has a file for each object. */
  remote(): { readonly files: number; readonly bytes: number } {
    return this.place.filesBelow(join(this.place.s3.folder, this.bucket));
  }

  /** What makes an edit known to everyone. */
  publish(): Command[] {
    return [...(this.add()[0]?.commands ?? []), ...(this.push(true).at(-1)?.commands ?? [])];
  }

  /** Everything but the dataset's own files is gone. */
  clear(): void {
    this.emptyRemote();
    this.place.remove(this.clone, ...[".git", ...this.traces].map((name) => join(this.repository, name)));
  }

  #mark(name: string): string {
    return join(this.repository, ".git", `bench-${name}`);
  }
}
