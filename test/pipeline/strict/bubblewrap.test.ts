import { expect, test } from "vitest";
import { bubblewrapArgs } from "../../../src/pipeline/strict/bubblewrap.ts";

const WORLD = { root: "/home/ada/w", folder: "/home/ada/w/sub", tree: "/s/tree", temporary: "/s/tmp" };

/** The mounts in their order: what, and where. */
function mounts(args: readonly string[]): string[] {
  return args.flatMap((arg, at) => (/^--(ro-)?bind$/.test(arg) ? [`${arg} ${args[at + 1]} ${args[at + 2]}`] : []));
}

test("the machine is read-only, the repository another tree, and what is shown lies over it", () => {
  const args = bubblewrapArgs({ ...WORLD, shown: ["/home/ada/w/src"], writable: ["/home/ada/w/db"] }, () => true);
  expect(mounts(args)).toEqual([
    "--ro-bind / /",
    "--bind /s/tmp /tmp",
    "--bind /s/tmp /var/tmp",
    "--bind /s/tree /home/ada/w",
    "--ro-bind /home/ada/w/src /home/ada/w/src",
    "--bind /home/ada/w/db /home/ada/w/db",
  ]);
  expect(args).toEqual(expect.arrayContaining(["--unshare-pid", "--die-with-parent"]));
  expect(args.slice(-2)).toEqual(["--chdir", "/home/ada/w/sub"]);
});

test("tools among the temporary files come back, below the repository when that is one of them too", () => {
  const shown = ["/tmp/w/a", "/tmp/node/bin", "/tmp/w-tools"];
  const args = bubblewrapArgs({ ...WORLD, root: "/tmp/w", shown, writable: [] }, (path) => path === "/tmp");
  expect(mounts(args)).toEqual([
    "--ro-bind / /",
    "--bind /s/tmp /tmp",
    "--ro-bind /tmp/node/bin /tmp/node/bin",
    "--ro-bind /tmp/w-tools /tmp/w-tools",
    "--bind /s/tree /tmp/w",
    "--ro-bind /tmp/w/a /tmp/w/a",
  ]);
  expect(args).not.toContain("/dev/shm");
});
