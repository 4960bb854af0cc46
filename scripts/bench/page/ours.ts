/** `node ours.ts FILE digits|large`: draws the page of a report. Started by the benchmark. */
import { writeFileSync } from "node:fs";
import { renderHtml } from "../../../src/report/index.ts";
import { fullReport } from "../../../test/report/fixture.ts";
import { largeReport } from "./large.ts";

const [file = "", which = ""] = process.argv.slice(2);
const report = which === "large" ? largeReport() : fullReport();
const begun = performance.now();
const html = await renderHtml(report);
const ms = Math.round(performance.now() - begun);
writeFileSync(file, html);
writeFileSync(`${file}.json`, JSON.stringify({ bytes: Buffer.byteLength(html), ms }));
