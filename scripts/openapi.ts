/**
 * Fetches GitHub's OpenAPI description once, for the tests that hold the sandbox to it. The npm package that carries
 * it unpacks to 400 MB, so it is no dependency: its tarball is packed, checked, and one file is taken out of it.
 *
 *     node scripts/openapi.ts
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { spawn } from "node:child_process";
import { spawn as run } from "../src/core/context.ts";

const SPEC = "@octokit/openapi@23.0.2";
const INTEGRITY = "sha512-pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==";
const MEMBER = "package/generated/api.github.com.json";
const FOLDER = join(import.meta.dirname, "..", "node_modules", ".cache", "lockstep");

/** Where the description lies once this script has run. */
export const DESCRIPTION = join(FOLDER, "api.github.com-23.0.2.json");

async function fetchDescription(): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const temporary = await mkdtemp(join(FOLDER, "openapi-"));
  try {
    const packed = await run("npm", ["pack", SPEC, "--silent", "--pack-destination", temporary], { env: process.env });
    if (packed.exitCode !== 0) throw new Error(`npm pack ${SPEC} failed: ${packed.stderr}`);
    const [name] = await readdir(temporary);
    const tarball = join(temporary, name ?? "");
    const hash = createHash("sha512");
    await pipeline(createReadStream(tarball), hash);
    const actual = `sha512-${hash.digest("base64")}`;
    if (actual !== INTEGRITY) throw new Error(`${SPEC} has integrity ${actual}, expected ${INTEGRITY}`);
    const extracted = join(temporary, "description.json");
    const tar = spawn("tar", ["-xzOf", tarball, MEMBER], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise<number | null>((resolve, reject) => {
      tar.on("error", reject);
      tar.on("close", resolve);
    });
    await pipeline(tar.stdout, createWriteStream(extracted));
    const exitCode = await ended;
    if (exitCode !== 0) throw new Error(`tar ended with ${exitCode}`);
    await rename(extracted, DESCRIPTION);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const there = await stat(DESCRIPTION).catch(() => undefined);
  if (there === undefined) await fetchDescription();
}
