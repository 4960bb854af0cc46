import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderHtml } from "../../src/report/index.ts";
import { fullReport, PLOTS } from "./fixture.ts";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
if (!existsSync(executablePath)) console.log("skipped: chromium is not installed (apt-get install chromium)");

const drawable = PLOTS.filter((one) => one.kind === "lines" || one.kind === "bars");

test("400 metrics, 60 models and 50 plots with long names make a page under a megabyte that says what it leaves out", async () => {
  const full = fullReport();
  const [model] = full.models;
  const [pipeline] = full.pipelines;
  const [metric] = model?.metrics ?? [];
  if (model === undefined || pipeline === undefined || metric === undefined) throw new Error("nothing to enlarge");
  const long = "n".repeat(120);
  const metrics = Array.from({ length: 400 }, (_, index) => ({ ...metric, name: `${index}${long}` }));
  const models = Array.from({ length: 60 }, (_, index) => ({ ...model, name: `m${index}${long}`, metrics, plots: [] }));
  const plots = Array.from({ length: 50 }, (_, index) => ({ ...drawable[index % 3]!, id: `p${index}`, title: long }));
  const page = await renderHtml({ ...full, models, pipelines: [{ ...pipeline, plots }] });
  expect(Buffer.byteLength(page)).toBeLessThan(1_000_000);
  expect(page).toMatch(/… and \d+ more\./);
  expect(page).toContain("<h1>Better</h1>");
});

describe.skipIf(!existsSync(executablePath))("the page, in a browser", () => {
  let browser: Browser;
  let page: Page;
  const asked: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    page = await browser.newPage({ viewport: { width: 390, height: 800 } });
    page.on("request", (request) => asked.push(request.url()));
    await page.setContent(await renderHtml(fullReport()));
  });
  afterAll(async () => browser?.close());

  test("it loads nothing and runs nothing", async () => {
    expect(asked).toEqual([]);
    expect(await page.locator("script, link, iframe, object, embed, [onclick], [onload]").count()).toBe(0);
  });

  test("landmarks, one h1, headings that skip no level, a skip link that leads to the report", async () => {
    for (const landmark of ["banner", "navigation", "main", "contentinfo"] as const)
      expect(await page.getByRole(landmark).count(), landmark).toBe(1);
    const levels = await page
      .locator("h1, h2, h3, h4")
      .evaluateAll((all) => all.map(({ tagName }) => Number(tagName[1])));
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    for (const [index, level] of levels.entries()) expect(level).toBeLessThanOrEqual((levels[index - 1] ?? 0) + 1);
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.getAttribute('href')")).toBe("#report");
    expect(await page.locator("#report").count()).toBe(1);
    for (const href of await page.locator("a").evaluateAll((all) => all.map((one) => one.getAttribute("href") ?? "")))
      expect(await page.locator(href).count(), href).toBe(1);
  });

  test("every table has a name, a head with a scope and rows that are named; every box that scrolls takes the keyboard", async () => {
    expect(await page.locator("table").count()).toBeGreaterThan(5);
    expect(await page.locator("table:not(:has(caption))").count()).toBe(0);
    expect(await page.locator("th:not([scope])").count()).toBe(0);
    expect(await page.locator('tbody tr:not(:has(th[scope="row"]))').count()).toBe(0);
    expect(await page.locator('.scroll:not([tabindex="0"][role="region"][aria-label])').count()).toBe(0);
  });

  test("every picture says what it shows, or is none to who listens", async () => {
    const pictures = page.locator("svg:not([aria-hidden=true])");
    expect(await pictures.count()).toBeGreaterThan(8);
    const names = await page.evaluate<{ role: string; said: string }[]>(NAMES);
    for (const { role, said } of names) expect([role, said.length > 10], said).toEqual(["img", true]);
    const ids = await page.locator("[id]").evaluateAll((all) => all.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each([390, 768, 1280])(
    "at %i pixels nothing is wider than the screen, and the verdict is on the first",
    async (width) => {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      const box = await page.locator("h1").boundingBox();
      expect(box?.y).toBeLessThan(200);
      for (const chart of await page.locator("svg.chart").all())
        expect((await chart.boundingBox())?.width).toBeLessThanOrEqual(width);
    },
  );

  test.each(["light", "dark"] as const)(
    "in %s all text has a contrast of 4.5 to what it stands on",
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme });
      expect(await page.evaluate(POOR)).toEqual([]);
    },
  );

  test("whatever takes the keyboard shows that it has it", async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    await page.locator("body").focus();
    const reached = new Set<string>();
    for (let step = 0; step < 60; step++) {
      // oxlint-disable-next-line no-await-in-loop -- a key after another
      await page.keyboard.press("Tab");
      // oxlint-disable-next-line no-await-in-loop
      const at = await page.evaluate<{ name: string; outline: string } | null>(FOCUSED);
      if (at === null) break;
      expect(at.outline, at.name).toBe("solid 2px");
      reached.add(at.name);
    }
    const all = await page.locator("a, summary, [tabindex='0']").count();
    expect(reached.size).toBeGreaterThan(5);
    expect(reached.size).toBeLessThanOrEqual(all);
  });

  test("on a narrow screen the verdict of a metric is beside its name, once for who listens", async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    const first = page.locator("section#model-0 tbody th").first();
    expect(await first.innerText()).toMatch(/better|worse|no evidence|equivalent/);
    expect(await page.locator(".narrow:not([aria-hidden=true])").count()).toBe(0);
    await page.setViewportSize({ width: 1280, height: 800 });
    expect(await page.locator(".narrow").first().isVisible()).toBe(false);
  });

  test("the contents name every section, in the order of the page", async () => {
    const links = await page.locator("nav a").allInnerTexts();
    expect(links).toEqual(await page.locator("main h2").allInnerTexts());
  });

  test("on paper nothing is folded, cut off or shaded", async () => {
    await page.emulateMedia({ media: "print" });
    const folded = page.locator("details:not([open])").first();
    expect(await folded.locator("*:not(summary)").first().isVisible()).toBe(true);
    expect(await page.evaluate(CUT)).toEqual(["visible", "none"]);
    await page.emulateMedia({ media: null });
  });

  test("on paper it is black on white, whatever the screen", async () => {
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
  });
});

/** What has the focus and how that looks; null: the page's end. */
const FOCUSED = `(() => {
  const at = document.activeElement;
  if (at === null || at === document.body) return null;
  const style = getComputedStyle(at);
  const place = [...document.querySelectorAll("*")].indexOf(at);
  return { name: at.tagName + place, outline: style.outlineStyle + " " + style.outlineWidth };
})()`;
const CUT = `(() => {
  const style = getComputedStyle(document.querySelector(".scroll"));
  return [style.overflowX, style.backgroundImage];
})()`;

/** Role and name of every picture, as a screen reader has them. */
const NAMES = `[...document.querySelectorAll("svg:not([aria-hidden=true])")].map((one) => {
  const named = (one.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean);
  const said = named.map((id) => document.getElementById(id).textContent).join(" ");
  return { role: one.getAttribute("role"), said: one.getAttribute("aria-label") ?? said };
})`;

/** Texts that stand out too little, by what the browser computes; backgrounds are laid over each other. */
const POOR = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const paint = (...colours) => {
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
    if (!own || ["title", "desc"].includes(element.tagName)) continue;
    const grounds = [];
    for (let at = element; at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
    const style = getComputedStyle(element);
    const ink = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const [a, b] = [luminance(paint("#fff", ...grounds)), luminance(paint("#fff", ...grounds, ink))].sort((m, n) => m - n);
    if ((b + 0.05) / (a + 0.05) < 4.45) poor.push(element.outerHTML.slice(0, 80));
  }
  return poor;
})()`;
