/** Stores blobs into the `file:s` of a folder until it is killed; started by a test. */
import { openStore } from "../../src/store/index.ts";
import { contextIn } from "../git/repository.ts";

const [folder = "", round = ""] = process.argv.slice(2);
const store = openStore(contextIn(folder), "file:s");
if (!store.ok) throw new Error("no store");
for (let at = 0; ; at++) {
  await store.value.put(Buffer.alloc(2_000_000, `${round} ${at} `));
  process.send?.(at);
}
