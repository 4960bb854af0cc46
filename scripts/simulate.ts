/**
 * `node scripts/simulate.ts [--changes N] [--only FAMILY]`: simulates pull requests and prints the tables of
 * docs/verdict.md, as Markdown. The tests run the same with fewer changes (test/evaluate/simulation.system.test.ts).
 */
import { parseArgs } from "node:util";
import { powers, searched, slicesCalled } from "../test/evaluate/powers.ts";
import { FAMILIES } from "../test/evaluate/scenarios.ts";
import { sharesOf } from "../test/evaluate/shares.ts";

const { values } = parseArgs({ options: { changes: { type: "string", default: "1000" }, only: { type: "string" } } });
const changes = Number(values.changes);
const wanted = (title: string): boolean => values.only === undefined || title === values.only;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const row = (...cells: readonly string[]): void => console.log(`| ${cells.join(" | ")} |`);

const families = FAMILIES.filter(({ title }) => wanted(title));
if (families.length > 0) {
  row("changes without effect", "simulated", "called better or worse", "intervals that hold the truth");
  row("---", "---", "---", "---");
}
for (const { scenarios, costly } of families) {
  for (const scenario of scenarios) {
    const count = costly ? Math.ceil(changes / 4) : changes;
    const { called, covered, told } = sharesOf(scenario, count);
    const held = Object.entries(covered).map(([metric, share]) => `${metric} ${percent(share)}`);
    const without = told < 0.995 ? `; ${percent(1 - told)} of them not told` : "";
    const intervals = told === 0 ? "none is told" : `${held.join(", ")}${without}`;
    row(scenario.name, `${count}`, percent(called), intervals);
  }
}
if (wanted("power")) {
  console.log("");
  row("known effect", "test", "simulated", "theory", "found");
  row("---", "---", "---", "---", "---");
  for (const { name, test, theory, found } of powers())
    row(name, `\`${test}\``, `${changes}`, percent(theory), percent(found(changes)));
}
if (wanted("families")) {
  console.log("");
  row("many looks in one report", "simulated", "came out");
  row("---", "---", "---");
  row("8 slices and 3 metrics without effect: any called (Holm)", `${changes}`, percent(slicesCalled(changes)));
  row("search without effect: anything found", `${changes}`, percent(searched(changes, 0).false));
  const { false: wrong, found } = searched(changes, 0.5);
  row("search, one slice of 600 examples is worse: false among what is found", `${changes}`, percent(wrong));
  row("the same: the slice is found", `${changes}`, percent(found));
}
