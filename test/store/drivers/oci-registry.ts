import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash, createPrivateKey, createPublicKey, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createProbe } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";

/** What the suite needs of the machine and does not find. */
export const missing = [
  ["docker-registry", "--version"],
  ["openssl", "version"],
].flatMap(([program = "", flag = ""]) => (spawnSync(program, [flag]).error === undefined ? [] : [program]));

export interface RegistryOptions {
  /** Lines of YAML: the registry's `auth` section. */
  readonly auth?: string;
  readonly deletes?: boolean;
}

/** Debian's docker-registry on loopback, with storage of its own. */
export class Registry {
  readonly host: string;
  readonly #folder: string;
  readonly #stop: () => Promise<void>;

  private constructor(host: string, folder: string, stop: () => Promise<void>) {
    this.host = host;
    this.#folder = folder;
    this.#stop = stop;
  }

  static async start({ auth = "", deletes = true }: RegistryOptions = {}): Promise<Registry> {
    const folder = mkdtempSync(join(tmpdir(), "lockstep-registry-"));
    const host = `127.0.0.1:${await freePort()}`;
    const config = [
      "version: 0.1",
      "log: {level: error, accesslog: {disabled: true}}",
      `storage: {filesystem: {rootdirectory: ${folder}/data}, delete: {enabled: ${deletes}}}`,
      `http: {addr: "${host}", secret: only-for-tests}`,
      auth,
    ];
    writeFileSync(join(folder, "config.yml"), config.join("\n"));
    const process = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: "ignore" });
    const ended = new Promise((resolve) => process.once("exit", resolve));
    const stop = async (): Promise<void> => {
      process.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    };
    const deadline = performance.now() + 30_000;
    while (!(await answers(`http://${host}/v2/`))) {
      if (process.exitCode !== null || performance.now() > deadline) {
        await stop();
        throw new Error(`docker-registry does not start:\n${config.join("\n")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    return new Registry(host, folder, stop);
  }

  /** What `docker-registry garbage-collect` takes away when nobody writes; it says what it removed. */
  collect(): string {
    const config = join(this.#folder, "config.yml");
    return execFileSync("docker-registry", ["garbage-collect", config], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}

interface Grant {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/**
 * A token server as the distribution project specifies it: takes basic credentials, gives signed tokens for the scopes
 * that are asked for. The registry trusts its certificate and does the rest.
 */
export class TokenServer {
  /** Scopes of each token that was given. */
  readonly given: string[][] = [];
  /** Grants nothing more than this. */
  allowed: readonly string[] = ["pull", "push", "delete"];
  /** s that the answer says a token lives. */
  life = 300;
  /** s that it does live. */
  truth = 300;
  readonly folder = mkdtempSync(join(tmpdir(), "lockstep-tokens-"));
  readonly #server;

  private constructor(username: string, password: string) {
    const key = join(this.folder, "key.pem");
    const certificate = join(this.folder, "certificate.pem");
    const subject = ["-subj", "/CN=tokens", "-days", "2"];
    const files = ["-keyout", key, "-out", certificate];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    execFileSync("openssl", ["req", "-x509", ...curve, ...files, ...subject], { stdio: "ignore" });
    const signer = createPrivateKey(readFileSync(key));
    const kid = keyId(createPublicKey(signer).export({ type: "spki", format: "der" }));
    const expected = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? "", "http://tokens");
      if (request.headers.authorization !== expected) return void response.writeHead(401).end("{}");
      const scopes = url.searchParams.getAll("scope");
      const access = scopes.map((scope): Grant => {
        const [type = "", name = "", actions = ""] = scope.split(":");
        return { type, name, actions: actions.split(",").filter((action) => this.allowed.includes(action)) };
      });
      this.given.push(scopes);
      const now = Math.floor(Date.now() / 1000);
      void new SignJWT({ access })
        .setProtectedHeader({ typ: "JWT", alg: "ES256", kid })
        .setIssuer("lockstep-tests")
        .setSubject(username)
        .setAudience(url.searchParams.get("service") ?? "")
        .setIssuedAt(now)
        .setNotBefore(now - 10)
        .setExpirationTime(now + this.truth)
        .setJti(randomUUID())
        .sign(signer)
        .then((token) => response.writeHead(200).end(JSON.stringify({ token, expires_in: this.life })));
    });
  }

  static async start(username: string, password: string): Promise<TokenServer> {
    const server = new TokenServer(username, password);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  /** The `auth` section of a registry that trusts this server. */
  get auth(): string {
    const realm = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
    const certificate = join(this.folder, "certificate.pem");
    return `auth: {token: {realm: "${realm}", service: tests, issuer: lockstep-tests, rootcertbundle: ${certificate}}}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** How the registry names a key: 240 bits of SHA-256, base32, in groups of four. */
function keyId(der: Buffer): string {
  const bits = [...createHash("sha256").update(der).digest().subarray(0, 30)]
    .map((byte) => byte.toString(2).padStart(8, "0"))
    .join("");
  const letters = (bits.match(/.{5}/g) ?? []).map(
    (five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five, 2)],
  );
  return (letters.join("").match(/.{4}/g) ?? []).join(":");
}

async function answers(url: string): Promise<boolean> {
  try {
    await (await fetch(url)).body?.cancel();
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const probe = createProbe().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
