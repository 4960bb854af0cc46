import { fail, ok, spawn } from "../../core/index.ts";
import type { Context, Result } from "../../core/index.ts";
import type { Argv } from "../process.ts";

/** A world for a command: the machine's, read-only, with another tree where the repository is. */
export interface World {
  /** The repository's root, links resolved. */
  readonly root: string;
  /** Folder the commands run in. */
  readonly folder: string;
  /** What stands where the root is; writable. */
  readonly tree: string;
  /** What stands where temporary files are; writable. */
  readonly temporary: string;
  /** Shown as they are, read-only: absolute paths, outer ones first. */
  readonly shown: readonly string[];
  /** As they are, and writable. */
  readonly writable: readonly string[];
}

/** Folders of temporary files: other programs' stay out of sight. */
export const TEMPORARY = ["/tmp", "/var/tmp"];

/** The settings of one world, for bubblewrap's `--args`; `there` tells which folders this machine has. */
export function bubblewrapArgs(world: World, there: (path: string) => boolean): string[] {
  const { root, folder, tree, temporary, shown, writable } = world;
  return [
    ...BASE,
    ...(there("/dev/shm") ? ["--tmpfs", "/dev/shm"] : []),
    ...TEMPORARY.filter(there).flatMap((path) => ["--bind", temporary, path]),
    ...shown.filter((path) => isTemporary(path) && !isIn(root, path)).flatMap(readable),
    "--bind",
    tree,
    root,
    ...shown.filter((path) => isIn(root, path)).flatMap(readable),
    ...writable.flatMap((path) => ["--bind", path, path]),
    // A program that was told of another folder would find it read-only.
    ...["TMPDIR", "TMP", "TEMP"].flatMap((name) => ["--unsetenv", name]),
    "--chdir",
    folder,
  ];
}

/** Everything a command starts ends with it, and with us. */
const BASE = "--unshare-pid --die-with-parent --ro-bind / / --dev-bind /dev /dev --proc /proc".split(" ");

/**
 * A command in a world whose settings are in a file, so that however many there are fit. bubblewrap itself stays deaf to
 * the signal that asks the group to end (it would take all of the world down at once), and the command hears it.
 */
export function inWorld(settings: string, command: readonly string[]): Argv {
  return ["/bin/sh", "-c", `trap "" TERM; exec bwrap --args 9 -- "$@" 9<"$0"`, settings, ...HEARING, ...command];
}

const HEARING = ["env", "--default-signal=TERM"];

/** Whether a world can be made here. */
export async function bubblewrapWorks({ env, cwd }: Context): Promise<Result<void>> {
  const tried = await spawn("bwrap", [...BASE, "--", ...HEARING, "true"], { env, cwd });
  if (tried.exitCode === 0) return ok();
  const problem = tried.exitCode === null ? "bubblewrap (bwrap) could not be started" : tried.stderr.trim();
  return fail({ code: "external", what: "--strict", problem, hint: tried.exitCode === null ? INSTALL : ALLOW });
}

const INSTALL =
  "install it (Debian, Ubuntu: `apt-get install bubblewrap`); `--explain` needs strace in its place, and hides nothing";
const ALLOW =
  "the kernel must allow user namespaces (Ubuntu: `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; a container: --privileged); `--explain` does without";

export function isTemporary(path: string): boolean {
  return TEMPORARY.some((folder) => isIn(folder, path));
}

function isIn(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function readable(path: string): string[] {
  return ["--ro-bind", path, path];
}
