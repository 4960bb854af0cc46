import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");

/**
 * Builds the bundles unless they are of these sources, and lays the command line out as an installation has it, for
 * the tests to start: what users run is what is tested, and it starts in half the time of its sources.
 */
export default function setup(): () => void {
  execFileSync(process.execPath, [join(ROOT, "scripts", "build.ts"), "--if-stale"], { stdio: "pipe" });
  const place = mkdtempSync(join(tmpdir(), "lockstep-built-"));
  chmodSync(place, 0o755); // some tests start it as nobody
  mkdirSync(join(place, "bin"));
  copyFileSync(join(ROOT, "bin", "lockstep.js"), join(place, "bin", "lockstep.js"));
  for (const name of ["package.json", "dist", "node_modules"]) symlinkSync(join(ROOT, name), join(place, name));
  process.env["LOCKSTEP_TEST_BIN"] = join(place, "bin", "lockstep.js");
  return () => rmSync(place, { recursive: true });
}
