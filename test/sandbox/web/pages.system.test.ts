import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { spawn } from "../../../src/core/index.ts";
import { startSandbox } from "../../../src/sandbox/index.ts";
import type { Sandbox } from "../../../src/sandbox/index.ts";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
if (!existsSync(executablePath)) console.log("skipped: chromium is not installed (apt-get install chromium)");

const NAME = "acme/pages";
const COMMENT = [
  "> [!TIP]\n> **Better.**\n",
  "| metric | base |\n| :-- | --: |\n| `accuracy` | 0.97 |\n",
  "```mermaid\nflowchart LR\n  a[prepare] --> b[train]\n```\n",
  "<details><summary>More</summary>\n\n```mermaid\nflowchart LR\n  c --> d\n```\n\n</details>\n",
  `<script>document.title = "run"</script><img src="x" onerror="document.title = 'run'">`,
].join("\n");

describe.skipIf(!existsSync(executablePath))("the pages, in a browser", () => {
  let dir: string;
  let sandbox: Sandbox;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "lockstep-pages-"));
    sandbox = await startSandbox({ dir: join(dir, "sandbox") });
    await sandbox.createRepository({ owner: "acme", name: "pages" });
    const clone = join(dir, "clone");
    const git = async (...args: string[]): Promise<void> => {
      const result = await spawn("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
        cwd: dir,
        env: process.env,
      });
      expect(result.exitCode, result.stderr).toBe(0);
    };
    await git("init", "-q", "-b", "main", clone);
    await git("-C", clone, "commit", "-q", "--allow-empty", "-m", "First");
    await git("-C", clone, "push", "-q", sandbox.cloneUrl(NAME, "acme"), "main", "main:refs/heads/other");
    await git("-C", clone, "commit", "-q", "--allow-empty", "-m", "Second <b>bold</b>");
    await git("-C", clone, "push", "-q", sandbox.cloneUrl(NAME, "acme"), "main:refs/heads/other");
    await api("/pulls", { title: "A <b>title</b>", head: "other", base: "main", body: "Text" });
    await api("/issues/1/comments", { body: COMMENT });
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    page = await browser.newPage();
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("requestfailed", (request) => errors.push(request.url()));
  });

  afterAll(async () => {
    await browser?.close();
    await sandbox.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function api(path: string, body: object): Promise<void> {
    const response = await fetch(`${sandbox.apiUrl}/repos/${NAME}${path}`, {
      method: "POST",
      headers: { authorization: `token ${sandbox.token("acme")}` },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(201);
  }

  it("show a comment as GitHub would, and run nothing of it", async () => {
    await page.goto(`${sandbox.url}/${NAME}/pull/1`);
    await page.locator("pre.mermaid svg").first().waitFor();
    expect(await page.locator(".alert-tip").innerText()).toMatch(/Tip\s+Better\./);
    expect(await page.locator(".md td").allInnerTexts()).toEqual(["accuracy", "0.97"]);
    await page.locator("details summary", { hasText: "More" }).click();
    await page.locator("details pre.mermaid svg").waitFor();
    expect(await page.title()).toMatch(/^#1/);
    expect(await page.locator("h1").first().innerText()).toContain("A <b>title</b>");
  });

  it("let a person merge", async () => {
    await page.goto(`${sandbox.url}/${NAME}/pull/1`);
    await page.getByRole("button", { name: "Merge pull request" }).click();
    await page.locator(".badge", { hasText: "merged" }).waitFor();
  });

  it("are all there, without an error", async () => {
    for (const path of ["", "/issues", "/pulls", "/actions", "/releases", "/deployments"]) {
      // oxlint-disable-next-line no-await-in-loop -- one page, one address after the other
      const response = await page.goto(`${sandbox.url}/${NAME}${path}`);
      expect(response?.status(), path).toBe(200);
    }
    expect((await page.goto(`${sandbox.url}/${NAME}/issues/99`))?.status()).toBe(404);
    expect(errors.filter((text) => !text.endsWith("/x"))).toEqual([]);
  });
});
