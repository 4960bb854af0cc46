import { join } from "node:path";
import type { Dataset } from "./dataset.ts";
import type { Place } from "./place.ts";
import { Side } from "./side.ts";
import type { Variant } from "./side.ts";

const TRANSFERS: readonly (readonly string[])[] = [[], ["--transfers", "32"]];

/** Copies files between folders and remotes; it keeps no versions, so there is nothing to add. */
export class Rclone extends Side {
  readonly tool = "rclone";
  protected readonly cache: string;
  protected readonly traces = [];

  constructor(place: Place, dataset: Dataset, bucket: string) {
    super(place, "rclone", dataset, bucket);
    this.cache = join(this.repository, ".git", "no-cache");
  }

  add(): Variant[] {
    return [];
  }

  status(): Variant[] {
    return [];
  }

  push(counted = false): Variant[] {
    return TRANSFERS.map((more) => this.#copy(this.repository, this.dataset.target, this.#remote(), more, counted));
  }

  pull(): Variant[] {
    return TRANSFERS.map((more) => this.#copy(this.clone, this.#remote(), this.dataset.target, more));
  }

  pullOne(path: string): Variant[] {
    return [this.#copy(this.clone, `bench:${this.bucket}/${path}`, path, [], true)];
  }

  #remote(): string {
    return `bench:${this.bucket}/${this.dataset.target}`;
  }

  #copy(cwd: string, from: string, to: string, more: readonly string[], counted = false): Variant {
    const command = this.place.command(cwd, ["rclone", "copyto", from, to, "--s3-no-check-bucket", ...more], {
      RCLONE_CONFIG_BENCH_TYPE: "s3",
      RCLONE_CONFIG_BENCH_PROVIDER: "Other",
      RCLONE_CONFIG_BENCH_ENV_AUTH: "true",
      RCLONE_CONFIG_BENCH_REGION: this.place.s3.region,
      RCLONE_CONFIG_BENCH_ENDPOINT: this.place.endpoint(counted),
    });
    return { name: ["rclone copyto", ...more].join(" "), commands: [command] };
  }

  /** A folder for the marks of the preparation; rclone does not look at it. */
  protected init(): void {
    this.place.run(this.place.command(this.repository, ["git", "init", "--quiet"]));
  }

  override commit(): void {}

  protected fillClone(): void {}
}
