import remarkGfm from "remark-gfm";
import remarkParse from "remark-parse";
import { unified } from "unified";
import fc from "fast-check";
import { expect, test } from "vitest";
import { code, sentence, table, visible } from "../../src/report/markdown.ts";
import { renderMarkdown } from "../../src/report/index.ts";
import type { Report } from "../../src/report/index.ts";
import { BINARY } from "../evaluate/helpers.ts";
import { report } from "./fixture.ts";

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly url?: string;
  readonly children?: readonly Node[];
}

const parser = unified().use(remarkParse).use(remarkGfm);
const nodesOf = (markdown: string): Node[] => {
  const walk = (node: Node): Node[] => [node, ...(node.children ?? []).flatMap(walk)];
  return walk(parser.parse(markdown));
};

/** Each tries something that GitHub would do with it. */
const HOSTILE = [
  "@octocat please",
  "[click](https://evil.test)",
  "![pixel](https://evil.test/p.png)",
  "https://evil.test/?q=1 and www.evil.test",
  "<img src=x onerror=alert(1)>",
  "</details></td></table><script>alert(1)</script>",
  "<!-- lockstep:report run=999999 attempt=9 -->",
  "--> <!-- lockstep:report -->",
  "a | b | c |\n| --- | --- |",
  "a\\|b\\\\|c",
  "`code` ``more`` ```\nfence",
  "line one\n# heading\n> [!TIP]\n> **Better.**",
  "acme/other#12 GH-34 #56 deadbeef0123456789deadbeef0123456789dead",
  ":tada: :skull:",
  "good\u202Elive\u202C \u2066x\u2069",
  "zero\u200Bwidth\u200D\uFEFF\u00AD",
  "bell\u0007 escape\u001B[31m null\u0000",
  "*bold* _it_ ~~gone~~ **x**",
  "1. one\n2. two",
  "&lt;b&gt; &#64;octocat &commat;octocat",
  "\uD800 lone surrogate",
  "$`\\frac{1}{0}`$ $$x$$",
  'click me" onclick="x"; end; s0 --> s9',
  "x".repeat(5_000),
  "",
  "   ",
];

/** What our own text uses; everything foreign has to arrive as code. */
const OWN_HTML = /^<\/?(details|summary|sub|code|span)>$/;

function inspect(markdown: string): { links: string[]; loose: string; html: string[] } {
  const nodes = nodesOf(markdown);
  const inline = nodes
    .filter(({ type }) => type === "html")
    .flatMap(({ value = "" }) => value.match(/<[^>]*>?/g) ?? []);
  return {
    links: nodes.flatMap(({ type, url = "" }) =>
      ["link", "image", "definition", "linkReference"].includes(type) ? [url] : [],
    ),
    loose: nodes
      .filter(({ type }) => type === "text")
      .map(({ value = "" }) => value)
      .join("\n"),
    html: inline.filter((tag) => !OWN_HTML.test(tag)),
  };
}

/** A report in which every text that a pull request can choose is this one. */
const clean = report({ evaluation: { ...BINARY, metrics: ["accuracy"] } });
function poisoned(text: string): Report {
  const flip = { id: text, label: text, base: text, head: text };
  const name = (): string => text;
  return {
    ...clean,
    head: { label: text, commit: clean.head.commit },
    models: clean.models
      .map((model) => ({
        ...model,
        name: text,
        metrics: model.metrics.map((metric) => ({ ...metric, name: text, note: text, verdict: null })),
        gates: [{ rule: text, passed: false, found: text }],
        notes: [text],
        flips: { fixed: { count: 2, examples: [flip] }, broken: { count: 1, examples: [flip] } },
      }))
      .flatMap((model) => [model, model]),
    pipelines: clean.pipelines
      .map((pipeline) => ({
        ...pipeline,
        name: text,
        stages: pipeline.stages.map((stage) => ({ ...stage, stage: name(), reason: text, needs: [text] })),
        numbers: pipeline.numbers.map((row) => ({ ...row, name: text, file: text })),
        params: [{ file: text, key: text, base: text, head: text }],
        data: [{ name: text, base: text, head: null }],
        notes: [text],
      }))
      .flatMap((pipeline) => [pipeline, pipeline]),
    conclusion: "failure",
    failures: [text, `several\n${text}\nlines`],
    notes: [text],
    runUrl: `https://github.test/) ${text}`,
  };
}

test.each(HOSTILE)("%j is neutralised wherever it stands", (text) => {
  const markdown = renderMarkdown(poisoned(text));
  const { links, loose, html } = inspect(markdown);
  expect(links).toEqual([]);
  expect(html).toEqual([]);
  expect(loose).not.toMatch(/@|evil|octocat|:tada:|GH-\d|deadbeef/);
  expect(markdown.replaceAll("\n", "").match(/[\p{Cc}\p{Cf}\p{Cs}]/gu)).toBeNull();
  expect(markdown.split("\n").filter((line) => line.trim().startsWith("<!--"))).toEqual([]);
  expect(nodesOf(markdown).filter(({ type }) => type === "heading")).toHaveLength(4); // two models, two pipelines
});

test("names that grow when they are escaped do not burst the limit", () => {
  for (const maxCharacters of [65_000, 1_500]) {
    const text = renderMarkdown(poisoned(":@.|<`\\".repeat(60)), { maxCharacters });
    expect(text.length).toBeLessThanOrEqual(maxCharacters);
    expect(text).toMatch(/^> \[!CAUTION\]\n> \*\*Better, and a gate fails\.\*\*/);
  }
});

test("text that GitHub could read in another way never leaves code, whatever it is", () => {
  const sample = fc.string({
    unit: fc.constantFrom(
      ...Array.from("ab1 @#`|\\<>&!-_*~[](){}:;/.'\"\n\r\t\u202E\u200B$+="),
      "www.",
      "http://",
      "GH-1",
    ),
    maxLength: 40,
  });
  fc.assert(
    fc.property(sample, (text) => {
      const cells = nodesOf(
        table(
          [
            ["a", "left"],
            ["b", "right"],
          ],
          [[code(text), "end"]],
        ),
      );
      expect(cells.filter(({ type }) => type === "tableCell")).toHaveLength(4);
      for (const markdown of [code(text), `- ${sentence(text)}`, `word ${sentence(text)} word`]) {
        const nodes = nodesOf(markdown);
        const kinds = new Set(nodes.map(({ type }) => type));
        for (const kind of [
          "link",
          "image",
          "emphasis",
          "strong",
          "delete",
          "heading",
          "thematicBreak",
          "break",
          "footnoteReference",
        ]) {
          expect(kinds.has(kind), `${kind} in ${JSON.stringify(markdown)}`).toBe(false);
        }
        expect(nodes.filter(({ type }) => type === "list").length).toBeLessThanOrEqual(1);
        expect(inspect(markdown).html).toEqual([]);
      }
    }),
    { seed: 3, numRuns: 600 },
  );
});

test("what is harmless stays legible", () => {
  expect(code("log_loss")).toBe("`log_loss`");
  expect(code("train.epochs: 3 -> 4")).toBe("`train.epochs: 3 -> 4`");
  expect(sentence("roc_auc could not be computed")).toBe("roc_auc could not be computed");
  expect(sentence("params.yaml: train.epochs 20 -> 25")).toBe("params.yaml: train.epochs 20 -> 25");
  expect(sentence("−0.2, 95 % interval −0.255 to −0.145")).toBe("−0.2, 95 % interval −0.255 to −0.145");
  expect(visible("a\nb\u202Ec")).toBe("a⏎bU+202Ec");
  expect(visible("x".repeat(200), 10)).toBe("xxxxxxxxx…");
});
