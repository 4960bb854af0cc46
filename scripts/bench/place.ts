import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startS3 } from "../../test/store/drivers/s3-server.ts";
import type { S3Server } from "../../test/store/drivers/s3-server.ts";
import { startCountingProxy } from "./counting-proxy.ts";
import type { CountingProxy } from "./counting-proxy.ts";
import { CommandFailed } from "./measure.ts";
import type { Command } from "./measure.ts";

export interface PlaceOptions {
  /** A folder of programs that goes before PATH. */
  readonly peers?: string;
  /** Seconds that a command of the preparation may take. */
  readonly limit: number;
}

/** A temporary folder with an S3 server, a counting proxy before it, and an environment that knows nothing else. */
export class Place implements AsyncDisposable {
  readonly folder: string;
  readonly limit: number;
  readonly s3: S3Server;
  readonly proxy: CountingProxy;
  readonly #base: Readonly<Record<string, string>>;

  private constructor(folder: string, options: PlaceOptions, s3: S3Server, proxy: CountingProxy) {
    this.folder = folder;
    this.limit = options.limit;
    this.s3 = s3;
    this.proxy = proxy;
    const home = join(folder, "home");
    mkdirSync(home);
    writeFileSync(
      join(home, ".gitconfig"),
      "[user]\n\tname = bench\n\temail = bench@example.org\n[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n",
    );
    this.#base = {
      PATH: [options.peers, process.env["PATH"]].filter(Boolean).join(":"),
      HOME: home,
      TMPDIR: folder,
      LANG: "C.UTF-8",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      DVC_NO_ANALYTICS: "1",
      AWS_ACCESS_KEY_ID: s3.accessKey,
      AWS_SECRET_ACCESS_KEY: s3.secretKey,
      AWS_REGION: s3.region,
      AWS_DEFAULT_REGION: s3.region,
      AWS_EC2_METADATA_DISABLED: "true",
    };
  }

  /** The folder is made in the system's folder for temporary files: TMPDIR moves it. */
  static async open(options: PlaceOptions): Promise<Place> {
    const folder = mkdtempSync(join(tmpdir(), "lockstep-bench-"));
    try {
      const s3 = await startS3();
      return new Place(folder, options, s3, await startCountingProxy(s3.endpoint));
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Where a client finds the S3 server; with `counted` by way of the proxy, which costs time. */
  endpoint(counted = false): string {
    return counted ? this.proxy.url : this.s3.endpoint;
  }

  command(cwd: string, argv: readonly string[], more: Readonly<Record<string, string>> = {}): Command {
    const [program = "", ...args] = argv;
    return { program, args, cwd, env: { ...this.#base, AWS_ENDPOINT_URL: this.endpoint(), ...more } };
  }

  shell(cwd: string, script: string): Command {
    return this.command(cwd, ["bash", "-c", `set -euo pipefail; ${script}`]);
  }

  /** Runs a command of the preparation. @throws CommandFailed */
  run(command: Command): string {
    const { status, signal, stdout, stderr, error } = spawnSync(command.program, [...command.args], {
      cwd: command.cwd,
      env: command.env,
      encoding: "utf8",
      timeout: this.limit * 1000,
      killSignal: "SIGKILL",
      maxBuffer: 1 << 28,
    });
    if (status === 0) return stdout;
    const end = error?.message ?? `exited with ${status ?? signal}`;
    throw new CommandFailed(`${[command.program, ...command.args].join(" ")}: ${end}\n${stderr.slice(-2000)}`);
  }

  /** The first line a program says about its version; undefined when it is not there. */
  version(argv: readonly string[]): string | undefined {
    try {
      return this.run(this.command(this.folder, argv)).split("\n", 1)[0];
    } catch {
      return undefined;
    }
  }

  /** Removes what there is, millions of files too: `rm` is many times faster at that than this process. */
  remove(...paths: readonly string[]): void {
    execFileSync("rm", ["-rf", "--", ...paths]);
  }

  /** Files below a folder and their bytes; none for a folder that is not there. */
  filesBelow(folder: string): { readonly files: number; readonly bytes: number } {
    if (!existsSync(folder)) return { files: 0, bytes: 0 };
    const sizes = this.run(this.command(folder, ["find", ".", "-type", "f", "-printf", "%s\\n"])).split("\n");
    sizes.pop(); // after the last line feed
    return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + Number(size), 0) };
  }

  /** Waits until what earlier runs wrote is on the disk, so that nobody pays for somebody else. */
  settle(): void {
    execFileSync("sync");
  }

  /** Removes everything but the place itself: the next dataset begins with an empty disk. */
  removeRepositories(): void {
    const keep = new Set(["home", "lockstep"]);
    const names = readdirSync(this.folder).filter((name) => !keep.has(name));
    this.remove(...names.map((name) => join(this.folder, name)));
    for (const bucket of readdirSync(this.s3.folder)) {
      this.run(this.command(join(this.s3.folder, bucket), ["find", ".", "-mindepth", "1", "-delete"]));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    this.remove(...readdirSync(this.s3.folder).map((name) => join(this.s3.folder, name)));
    await this.s3[Symbol.asyncDispose]();
    this.remove(this.folder);
  }
}
