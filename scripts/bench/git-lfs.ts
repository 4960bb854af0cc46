import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Dataset } from "./dataset.ts";
import type { Command } from "./measure.ts";
import type { Place } from "./place.ts";
import { Side } from "./side.ts";
import type { Variant } from "./side.ts";

/**
 * Git LFS does not speak S3 without a server of its own. Its remote here is a bare repository on the same disk, which
 * it copies files to without any network: an easier job than that of the others.
 */
export class GitLfs extends Side {
  readonly tool = "git-lfs";
  override readonly speaksS3 = false;
  protected readonly cache: string;
  protected readonly traces = [".gitattributes"];
  readonly #remote: string;

  constructor(place: Place, dataset: Dataset, bucket: string) {
    super(place, "git-lfs", dataset, bucket);
    this.cache = join(this.repository, ".git", "lfs");
    this.#remote = `${this.repository}-remote.git`;
  }

  add(): Variant[] {
    return [{ name: "git add (lfs)", commands: [this.#git(this.repository, ["add", this.dataset.target])] }];
  }

  status(): Variant[] {
    return [{ name: "git status (lfs)", commands: [this.#git(this.repository, ["status", "--short"])] }];
  }

  push(): Variant[] {
    return [
      {
        name: "git push (lfs, file://)",
        commands: [this.#git(this.repository, ["push", "--quiet", "origin", "main"])],
      },
    ];
  }

  pull(): Variant[] {
    return [{ name: "git lfs pull (file://)", commands: [this.#git(this.clone, ["lfs", "pull"])] }];
  }

  pullOne(path: string): Variant[] {
    return [{ name: "git lfs pull -I (file://)", commands: [this.#git(this.clone, ["lfs", "pull", "-I", path])] }];
  }

  #git(cwd: string, args: readonly string[]): Command {
    return this.place.command(cwd, ["git", ...args]);
  }

  protected init(): void {
    const { place, repository } = this;
    place.run(this.#git(repository, ["init", "--quiet"]));
    place.run(this.#git(repository, ["lfs", "install", "--local"]));
    const pattern = this.dataset.files === 1 ? this.dataset.target : `${this.dataset.target}/**`;
    place.run(this.#git(repository, ["lfs", "track", pattern]));
    place.run(this.#git(repository, ["remote", "add", "origin", `file://${this.#remote}`]));
    this.emptyRemote();
  }

  override emptyRemote(): void {
    super.emptyRemote();
    this.place.remove(this.#remote);
    this.place.run(this.#git(this.place.folder, ["init", "--quiet", "--bare", this.#remote]));
    // What it believes to be there it does not send again.
    if (existsSync(join(this.repository, ".git"))) {
      this.place.run(this.#git(this.repository, ["update-ref", "-d", "refs/remotes/origin/main"]));
    }
  }

  override remote(): { readonly files: number; readonly bytes: number } {
    return this.place.filesBelow(join(this.#remote, "lfs"));
  }

  override publish(): Command[] {
    const commit = this.#git(this.repository, ["commit", "--quiet", "--all", "--message", "edit"]);
    return [...this.add().flatMap((way) => way.commands), commit, ...this.push().flatMap((way) => way.commands)];
  }

  protected fillClone(): void {
    this.place.run(this.#git(this.clone, ["clone", "--quiet", `file://${this.#remote}`, "."]));
    this.place.run(this.#git(this.clone, ["lfs", "install", "--local"]));
  }
}
