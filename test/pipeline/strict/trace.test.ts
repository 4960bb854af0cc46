import { describe, expect, test } from "vitest";
import { TraceReader } from "../../../src/pipeline/strict/trace.ts";
import type { Call } from "../../../src/pipeline/strict/trace.ts";

/** Lines as strace 6.1 wrote them, shortened. */
function calls(...lines: string[]): string[] {
  const reader = new TraceReader("/w");
  const told = ({ name, path, error }: Call): string => `${name} ${path}${error === null ? "" : ` ${error}`}`;
  return lines.flatMap((line) => {
    const call = reader.read(line);
    return call === undefined ? [] : [told(call)];
  });
}

describe("a trace", () => {
  test("tells which path a call was about, and how it went", () => {
    expect(
      calls(
        '12 openat(AT_FDCWD</w>, "a b/c", O_RDONLY|O_CLOEXEC) = 3</w/a b/c>',
        '12 newfstatat(AT_FDCWD</w>, "x", 0x7ffc33, 0) = -1 ENOENT (No such file or directory)',
        '12 newfstatat(3</w/a b/c>, "", {st_mode=S_IFREG|0644, st_size=2, ...}, AT_EMPTY_PATH) = 0',
        '12 execve("./run.sh", ["./run.sh", "x, y)"], 0x7ffd /* 20 vars */) = 0',
        '12 readlink("/proc/self/exe", "/usr/bin/dash", 4096) = 13',
        '12 renameat2(AT_FDCWD</w>, "t", 5</w/out>, "final", RENAME_NOREPLACE) = 0',
        '12 symlink("target", "link") = 0',
        '12 open("../up", O_WRONLY|O_CREAT, 0666) = 4</up>',
      ),
    ).toEqual([
      "openat /w/a b/c",
      "newfstatat /w/x ENOENT",
      "newfstatat /w/a b/c",
      "execve /w/run.sh",
      "readlink /proc/self/exe",
      "renameat2 /w/out/final",
      "symlink /w/link",
      "open /up",
    ]);
  });

  test("joins what other processes interrupted, each with its own folder", () => {
    expect(
      calls(
        '1 chdir("sub" <unfinished ...>',
        '2 openat(AT_FDCWD</elsewhere>, "b", O_RDONLY <unfinished ...>',
        "1 <... chdir resumed>) = 0",
        '1 open("a", O_RDONLY <unfinished ...>',
        "2 <... openat resumed>) = 3</elsewhere/b>",
        "1 <... open resumed>) = -1 ENOENT (No such file or directory)",
        '2 stat("c", {st_mode=S_IFREG|0644, ...}) = 0',
        "2 fchdir(7</third>) = 0",
        '2 stat("d", {st_mode=S_IFREG|0644, ...}) = 0',
      ),
    ).toEqual(["chdir /w/sub", "openat /elsewhere/b", "open /w/sub/a ENOENT", "stat /elsewhere/c", "stat /third/d"]);
  });

  test("a child stands where its parent does, also before the parent's call ended", () => {
    expect(
      calls(
        '1 chdir("/p") = 0',
        "1 clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD}, 88) = 2",
        '2 execve("a", ["a"], 0x1 /* 1 var */) = 0',
        "1 vfork( <unfinished ...>",
        '3 execve("b", ["b"], 0x1 /* 1 var */ <unfinished ...>',
        "1 <... vfork resumed>) = 3",
        "3 <... execve resumed>) = 0",
        "2 +++ exited with 0 +++",
      ),
    ).toEqual(["chdir /p", "execve /p/a", "execve /p/b"]);
  });

  test("reads names with quotes, brackets, line feeds and bytes that are no text", () => {
    expect(
      calls(
        String.raw`1 openat(AT_FDCWD</w/d\76x>, "a\"b, (c) = 1", O_RDONLY) = 3</w/d\76x/a>`,
        String.raw`1 openat(AT_FDCWD</w>, "\303\251\n\tz", O_RDONLY) = 3</w/x>`,
        String.raw`1 openat(AT_FDCWD</w>, "bad\377\\", O_RDONLY) = 3</w/x>`,
      ),
    ).toEqual(['openat /w/d>x/a"b, (c) = 1', "openat /w/é\n\tz", "openat /w/bad\ufffd\\"]);
  });

  test("passes over what it does not understand", () => {
    expect(
      calls(
        "",
        "strace: something",
        "[ Process PID=1 runs in 32 bit mode. ]",
        "1 --- SIGCHLD {si_signo=SIGCHLD} ---",
        "1 +++ killed by SIGKILL +++",
        "1 <... openat resumed>) = 3</w/x>",
        '1 openat(AT_FDCWD</w>, "cut off',
        "1 openat(AT_FDCWD<never closed, 1",
        '1 statfs("/sys", <unfinished ...>',
        "1 exit_group(0) = ?",
        "1 openat(AT_FDCWD</w>, 0x7ffe12, O_RDONLY) = -1 EFAULT (Bad address)",
      ),
    ).toEqual([]);
  });
});
