// Synthetic data: two interleaved half circles. One row in five is held out for the test.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const { seed, rows, noise } = JSON.parse(readFileSync("pipelines/first/params.json", "utf8")).prepare;

let state = seed >>> 0;
const uniform = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

const lines = { train: ["id,x,y,label"], test: ["id,x,y,label"] };
for (let row = 0; row < rows; row++) {
  const label = row % 2;
  const angle = Math.PI * uniform();
  const x = (label ? 1 - Math.cos(angle) : Math.cos(angle)) + noise * normal();
  const y = (label ? 0.5 - Math.sin(angle) : Math.sin(angle)) + noise * normal();
  lines[uniform() < 0.2 ? "test" : "train"].push(`r${row},${x.toFixed(4)},${y.toFixed(4)},${label}`);
}
mkdirSync("build/first", { recursive: true });
for (const [split, text] of Object.entries(lines)) writeFileSync(`build/first/${split}.csv`, `${text.join("\n")}\n`);
