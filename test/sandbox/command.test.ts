import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockstep, scrubbedEnvironment, startLockstep } from "../helpers/cli.ts";

describe("lockstep sandbox", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "lockstep-command-"));
  });
  afterEach(async () => rm(folder, { recursive: true, force: true }));

  /** Starts it, hands over what it printed, and ends it as Ctrl-C does. */
  async function use(work: (printed: string) => Promise<void>): Promise<void> {
    const running = startLockstep(folder, ["sandbox", "ada/digits", "--dir", "state"]);
    try {
      let printed = "";
      for await (const text of running.child.stdout ?? []) {
        printed += String(text);
        if (printed.includes("GITHUB_TOKEN=")) break;
      }
      await work(printed);
    } finally {
      running.child.kill("SIGINT");
    }
    expect((await running.ended).exitCode).toBe(0);
  }

  it("makes the repositories that are asked for, and finds them again", async () => {
    const remotes: string[] = [];
    const look = async (printed: string): Promise<void> => {
      const remote = /git remote add origin (\S+)/.exec(printed)?.[1] ?? "";
      const [, api = "", token = ""] = /GITHUB_API_URL=(\S+) GITHUB_TOKEN=(\S+)/.exec(printed) ?? [];
      remotes.push(new URL(remote).password);
      await promisify(execFile)("git", ["ls-remote", remote], { env: scrubbedEnvironment() });
      const headers = { authorization: `token ${token}` };
      const answer = await fetch(`${api}/repos/ada/digits/actions/variables/LOCKSTEP_STORE`, { headers });
      expect(await answer.json()).toMatchObject({ value: `file://${folder}/state/store/ada/digits` });
    };
    await use(look);
    await use(look);
    expect(remotes[0]).toBe(remotes[1]);
  });

  it("says what is wrong with its arguments", async () => {
    expect(await lockstep(folder, "sandbox", "--port", "high")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("--port") as string,
    });
    expect(await lockstep(folder, "sandbox", "digits")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("digits is not OWNER/NAME") as string,
    });
  });

  it("says that a port is taken, or that its state cannot be read", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    expect(await lockstep(folder, "sandbox", "--port", String(port))).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining(`port ${port} is taken`) as string,
    });
    server.close();
    await writeFile(join(folder, "state.json"), "{");
    expect(await lockstep(folder, "sandbox", "--dir", ".")).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining("cannot be used") as string,
    });
  });
});
