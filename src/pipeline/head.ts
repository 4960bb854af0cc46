import type { Context } from "../core/index.ts";
import { git } from "../git/index.ts";

/** The commit that the working tree is: HEAD when nothing differs from it, files not yet added included; else null. */
export async function headIfClean(context: Context): Promise<string | null> {
  const status = await git(context, ["status", "--porcelain=v2", "--branch", "-z"]);
  if (!status.ok) return null;
  const lines = status.value.split("\0").filter((line) => line !== "");
  const oid = lines.find((line) => line.startsWith("# branch.oid "))?.slice("# branch.oid ".length);
  const clean = lines.every((line) => line.startsWith("# "));
  return clean && oid !== undefined && /^[0-9a-f]{40}$/.test(oid) ? oid : null;
}
