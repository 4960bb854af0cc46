/**
 * Takes the pictures of the documentation from the sandbox of an earlier demo (`npm run demo` leaves it behind), with
 * the machine's Chromium: node scripts/pictures.ts [DIR]
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";
import { startSandbox } from "../src/sandbox/index.ts";

const root = resolve(import.meta.dirname, "..");
const dir = resolve(process.argv[2] ?? join(root, ".lockstep", "demo"));
const images = join(root, "docs", "images");
mkdirSync(images, { recursive: true });

await using sandbox = await opened();
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1180, height: 900 }, deviceScaleFactor: 1.5 });
  const shoot = async (path: string, selector: string, name: string): Promise<void> => {
    await page.goto(`${sandbox.url}/acme/digits${path}`);
    await page
      .locator(selector)
      .first()
      .screenshot({ path: join(images, name) });
    console.log(`docs/images/${name}`);
  };
  await shoot("/pull/1", "article.box[id^=issuecomment]", "comment.png");
  await shoot("/issues/2", "article.box", "drift-issue.png");
} finally {
  await browser.close();
}

async function opened(): Promise<{ url: string } & AsyncDisposable> {
  const running = await startSandbox({ dir: join(dir, "sandbox") });
  return { url: running.url, [Symbol.asyncDispose]: async () => running.close() };
}
