import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startCountingProxy } from "../../scripts/bench/counting-proxy.ts";
import { Random, editMiddle, fileName, writeLarge, writeMany } from "../../scripts/bench/generate.ts";
import { CommandFailed, measure } from "../../scripts/bench/measure.ts";
import type { Command } from "../../scripts/bench/measure.ts";

let folder: string;
const never = new AbortController().signal;

beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "bench-test-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function shell(script: string): Command {
  return { program: "bash", args: ["-c", script], cwd: folder, env: { ...process.env, NODE: process.execPath } };
}

describe("measure", () => {
  it("adds up the time of several commands", async () => {
    const cost = await measure([shell("sleep 0.2"), shell("sleep 0.3")], 20, never);
    expect(cost.timedOut).toBe(false);
    expect(cost.seconds).toBeGreaterThan(0.5);
    expect(cost.seconds).toBeLessThan(5);
  });

  it("sees the memory of a child's child", async () => {
    const fill = `"$NODE" -e 'const held = Buffer.alloc(200e6, 1); setTimeout(() => held.length, 400)'; true`;
    const { peak } = await measure([shell(fill)], 20, never);
    expect(peak).toBeGreaterThan(200e6);
    expect(peak).toBeLessThan(600e6);
  });

  it("adds up processes that run at the same time", async () => {
    const one = `"$NODE" -e 'const held = Buffer.alloc(100e6, 1); setTimeout(() => held.length, 800)'`;
    const { peak } = await measure([shell(`${one} & ${one} & wait`)], 20, never);
    expect(peak).toBeGreaterThan(200e6);
  });

  it("ends what takes too long, with its children", async () => {
    const pid = join(folder, "pid");
    const cost = await measure([shell(`sleep 600 & echo $! > ${pid}; wait`), shell("true")], 0.5, never);
    expect(cost).toMatchObject({ timedOut: true, seconds: 0.5 });
    await expect.poll(() => isRunning(readFileSync(pid, "utf8").trim())).toBe(false);
  });

  it("ends when it is told to", async () => {
    const stop = new AbortController();
    const running = measure([shell("sleep 600")], 600, stop.signal);
    stop.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
  });

  it("takes no figures from a command that fails, and says what it said", async () => {
    const failing = measure([shell("echo no room on the disk >&2; exit 3")], 20, never);
    await expect(failing).rejects.toThrow(CommandFailed);
    await expect(failing).rejects.toThrow(/exited with 3\nno room on the disk/);
  });
});

describe("generated data", () => {
  it("is the same on every machine", () => {
    const bytes = new Random("many").next(1000);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(
      "5be99c991c19392b6116014f479465535dc403242ca0dd26bd8eb7ab23b5f7f0",
    );
  });

  it("spreads files evenly, each with bytes of its own", () => {
    const many = { files: 100, folders: 4, bytes: 30 };
    writeMany(join(folder, "many"), many);
    expect(readdirSync(join(folder, "many"))).toEqual(["0000", "0001", "0002", "0003"]);
    expect(readdirSync(join(folder, "many", "0002"))).toHaveLength(25);
    const contents = Array.from({ length: 100 }, (_, at) =>
      readFileSync(join(folder, "many", fileName(many, at)), "hex"),
    );
    expect(new Set(contents).size).toBe(100);
    expect(contents.every((content) => content.length === 60)).toBe(true);
  });

  it("is edited in its middle and nowhere else", () => {
    const path = join(folder, "large.bin");
    writeLarge(path, 5_000_000);
    const before = readFileSync(path);
    editMiddle(path, 5_000_000, 1000, "first");
    const first = readFileSync(path);
    editMiddle(path, 5_000_000, 1000, "second");
    const second = readFileSync(path);
    const middle = 2_499_500;
    expect(first.length).toBe(5_000_000);
    expect(first.subarray(0, middle).equals(before.subarray(0, middle))).toBe(true);
    expect(first.subarray(middle + 1000).equals(before.subarray(middle + 1000))).toBe(true);
    expect(first.equals(before)).toBe(false);
    expect(second.equals(first)).toBe(false);
  });
});

describe("the counting proxy", () => {
  it("passes everything on and counts it", async () => {
    const hosts: (string | undefined)[] = [];
    const server = createServer((request, answer) => {
      hosts.push(request.headers.host);
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => answer.writeHead(201, { "x-length": Buffer.concat(parts).length }).end("done"));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      await using proxy = await startCountingProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const put = await fetch(`${proxy.url}/a?b=c`, { method: "PUT", body: "x".repeat(300_000) });
      expect(put.status).toBe(201);
      expect(put.headers.get("x-length")).toBe("300000");
      expect(await put.text()).toBe("done");
      await (await fetch(`${proxy.url}/a`)).text();
      expect(proxy.traffic()).toEqual({ requests: 2, sent: 300_000, received: 8 });
      // What an S3 client signed must arrive as it was.
      expect(hosts).toEqual([new URL(proxy.url).host, new URL(proxy.url).host]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

function isRunning(pid: string): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
}
