/**
 * Takes pictures of the comment and of the page of both examples, narrow and wide, light and dark, with the machine's
 * Chromium, and puts those that the documentation shows into docs/images:
 *
 *   npm run demo -- --no-serve && node scripts/pictures.ts [DIR]
 *
 * The digits are from the sandbox that the demo leaves behind. For churn a pull request is played, once, unless it is
 * there already; that needs a Python with requirements.txt (CHURN_PYTHON names it). DIR is build/pictures.
 */
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";
import { churnStory } from "./pictures/churn.ts";
import { openExample } from "./pictures/example.ts";
import type { Example } from "./pictures/example.ts";

const root = resolve(import.meta.dirname, "..");
const out = resolve(process.argv[2] ?? join(root, "build", "pictures"));
const images = join(root, "docs", "images");
const SCHEMES = ["light", "dark"] as const;
const WIDTHS = { narrow: 390, wide: 1280 };
/** What the documentation shows; of the others one looks, and mends what is wrong. */
const SHOWN: Readonly<Record<string, string>> = {
  "digits-comment-wide-light": "comment-light",
  "digits-comment-wide-dark": "comment-dark",
  "churn-page-narrow-light": "page-narrow-light",
  "churn-page-narrow-dark": "page-narrow-dark",
  "drift-issue": "drift-issue",
};

const churn = join(root, ".lockstep", "pictures", "churn");
if (!existsSync(join(churn, "sandbox", "state.json"))) {
  rmSync(churn, { recursive: true, force: true });
  await churnStory(root, churn);
}
for (const dir of [out, images]) mkdirSync(dir, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
try {
  for (const [name, dir] of [
    ["digits", join(root, ".lockstep", "demo")],
    ["churn", churn],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one sandbox after another
    await using example = await openExample(name, dir);
    // oxlint-disable-next-line no-await-in-loop
    await shoot(browser, name, example);
  }
} finally {
  await browser.close();
}

async function shoot(at: Browser, name: string, example: Example): Promise<void> {
  const html = join(out, `${name}.html`);
  writeFileSync(html, await example.page());
  const take = async (
    what: string,
    url: string,
    selector: string,
    width: number,
    colorScheme: (typeof SCHEMES)[number],
  ): Promise<void> => {
    const page = await at.newPage({
      viewport: { width, height: 900 },
      deviceScaleFactor: what === "drift-issue" ? 1.5 : 2,
      colorScheme,
    });
    await page.goto(url, { waitUntil: "networkidle" });
    const path = join(out, `${what}.png`);
    const element = page.locator(selector).first();
    await element.screenshot({ path, animations: "disabled" });
    console.log(`${path}, ${statSync(path).size} bytes`);
    const shown = SHOWN[what];
    // Of a page the first screen alone: the rest is for looking.
    if (shown !== undefined && selector === "html") await page.screenshot({ path: join(images, `${shown}.png`) });
    else if (shown !== undefined) copyFileSync(path, join(images, `${shown}.png`));
    await page.close();
  };
  for (const scheme of SCHEMES) {
    for (const [form, width] of Object.entries(WIDTHS)) {
      const end = `${form}-${scheme}`;
      await take(`${name}-comment-${end}`, example.comment, "article.box[id^=issuecomment]", width, scheme);
      await take(`${name}-page-${end}`, `file://${html}`, "html", width, scheme);
    }
  }
  if (name === "digits") await take("drift-issue", example.issue, "article.box", 1180, "light");
}
