/**
 * Promotes in a process of its own and kills it right behind its nth effect, as a machine that goes away would.
 * Arguments: clone, commit, API URL, n (0: lives). Prints the effects it had, one a line.
 */
import { writeSync } from "node:fs";
import { connect } from "../../src/github/index.ts";
import { promote } from "../../src/registry/index.ts";
import { contextFor, optionsFor } from "./rig.ts";

const [clone = "", commit = "", apiUrl = "", last = "0"] = process.argv.slice(2);
let effects = 0;
const context = contextFor(clone, (event) => {
  if (event.type !== "effect") return;
  writeSync(1, `${event.name}\n`);
  if (++effects === Number(last)) process.kill(process.pid, "SIGKILL");
});
const github = connect({ token: "secret", apiUrl, repository: "acme/digits", paced: false, emit: context.emit });
const result = await promote(context, github, optionsFor(context, commit));
if (!result.ok) {
  process.stderr.write(`${JSON.stringify(result.failures)}\n`);
  process.exitCode = 1;
}
