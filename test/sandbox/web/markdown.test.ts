import { describe, expect, it } from "vitest";
import { renderMarkdown } from "../../../src/sandbox/web/markdown.ts";

describe("renderMarkdown", () => {
  it("shows what GitHub shows: tables, alerts, details, task lists", async () => {
    const shown = await renderMarkdown(
      "> [!TIP]\n> Better.\n\n| a | b |\n|--|--:|\n| 1 | 2 |\n\n<details><summary>More</summary>\n\n- [x] done\n\n</details>\n",
    );
    expect(shown).toContain('<div class="alert alert-tip"><p class="alert-title">Tip</p>');
    expect(shown).toContain('<td align="right">2</td>');
    expect(shown).toMatch(/<details><summary>More<\/summary>[\s\S]*<input type="checkbox"[^>]*checked/);
  });

  it("leaves Mermaid as text for the page to draw", async () => {
    const shown = await renderMarkdown("```mermaid\ngraph LR\n  a-->b\n```\n");
    expect(shown).toMatch(/<pre class="mermaid">graph LR\n {2}a-->b\n<\/pre>/);
  });

  it("runs nothing that a comment brings", async () => {
    const shown = await renderMarkdown(
      '<script>alert(1)</script><img src=x onerror=alert(1)><a href="javascript:alert(1)">x</a>' +
        '<iframe src="https://example.org"></iframe><p style="position:fixed" class="mermaid">y</p>',
    );
    expect(shown).not.toMatch(/script|onerror|javascript|iframe|style=|mermaid/);
    expect(shown).toContain("y");
  });
});
