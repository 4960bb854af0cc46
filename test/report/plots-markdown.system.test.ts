import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderMarkdown } from "../../src/report/index.ts";
import type { Report } from "../../src/report/index.ts";
import { fullReport } from "./fixture.ts";
import { HOSTILE_TEXTS } from "./hostile-texts.ts";
import { poison } from "./poison.ts";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
if (!existsSync(executablePath)) console.log("skipped: chromium is not installed (apt-get install chromium)");

const graphsOf = (report: Report): string[] =>
  [...renderMarkdown(report, { maxCharacters: 1e9 }).matchAll(/^```mermaid\n([^]*?)\n```$/gm)].map(
    ([, text = ""]) => text,
  );

describe.skipIf(!existsSync(executablePath))("Mermaid, as GitHub has it", () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    page = await browser.newPage();
    const script = createRequire(import.meta.url).resolve("@mermaid-js/tiny");
    await page.addScriptTag({ content: readFileSync(script, "utf8") });
  });
  afterAll(async () => browser?.close());

  /** What each is drawn as; rejects where one cannot be read. */
  const draw = async (graphs: readonly string[]): Promise<string[]> =>
    page.evaluate(`(async () => {
      mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
      const drawn = [];
      for (const [at, text] of ${JSON.stringify(graphs)}.entries()) drawn.push((await mermaid.render("g" + at, text)).svg);
      return drawn;
    })()`);

  test("it draws lines of both sides in the colours that are told, and bars", async () => {
    const [, , ...charts] = await draw(graphsOf(fullReport()));
    expect(charts.length).toBeGreaterThanOrEqual(2);
    for (const chart of charts) expect(chart).toContain("#2563eb");
    expect(charts.join("")).toContain(">tenure (base)<");
  });

  test("it draws the same number of them whatever the texts are", async () => {
    const full = fullReport();
    const number = graphsOf(poison(full, ["word"])).length;
    for (const [name, text] of HOSTILE_TEXTS) {
      const graphs = graphsOf(poison(full, [text]));
      expect(graphs, name).toHaveLength(number);
      // oxlint-disable-next-line no-await-in-loop -- one page
      expect(await draw(graphs), name).toHaveLength(number);
    }
  });
});
