/** The committed golden file is what R says: it is made again and compared. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "golden");
const there = ((): boolean => {
  try {
    execFileSync("Rscript", ["-e", "library(boot); library(pROC)"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
if (!there) console.log("skipped: there is no Rscript with boot and pROC (r-base-core, r-cran-boot, r-cran-proc)");

/** Numbers to 1e-9 of themselves: another version of R may round otherwise. */
function same(found: unknown, expected: unknown, path: string): void {
  if (typeof found === "number" && typeof expected === "number") {
    expect(Math.abs(found - expected), path).toBeLessThanOrEqual(1e-9 * Math.max(Math.abs(expected), 1e-300));
  } else if (found !== null && expected !== null && typeof found === "object" && typeof expected === "object") {
    expect(Object.keys(found), path).toEqual(Object.keys(expected));
    for (const [key, value] of Object.entries(expected))
      same((found as Record<string, unknown>)[key], value, `${path}.${key}`);
  } else expect(found, path).toEqual(expected);
}

test.skipIf(!there)("R makes the golden file again", { timeout: 120_000 }, () => {
  const made = execFileSync("Rscript", ["--vanilla", join(folder, "statistics.R")], { timeout: 100_000 }).toString();
  const { made_by: by, ...values } = JSON.parse(made) as Record<string, unknown>;
  const committed = JSON.parse(readFileSync(join(folder, "statistics.json"), "utf8")) as Record<string, unknown>;
  const { made_by: before, ...expected } = committed;
  console.log(`committed by ${JSON.stringify(before)}, now by ${JSON.stringify(by)}`);
  same(values, expected, "golden");
});
