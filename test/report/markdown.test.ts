import remarkGfm from "remark-gfm";
import remarkParse from "remark-parse";
import { unified } from "unified";
import fc from "fast-check";
import { expect, test } from "vitest";
import { code, sentence, table, visible } from "../../src/report/markdown.ts";
import { renderMarkdown } from "../../src/report/index.ts";
import { report } from "./fixture.ts";
import { poison } from "./poison.ts";

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

test("names that grow when they are escaped do not burst the limit", () => {
  const grown = { ...poison(report(), [":@.|<`\\".repeat(60)]), conclusion: "failure" as const };
  for (const maxCharacters of [65_000, 1_500]) {
    const text = renderMarkdown(grown, { maxCharacters });
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

test("a digest in a sentence is code, and the sentence is not", () => {
  expect(sentence("with digits as it is here (f28a0be6ddf7).")).toBe("with digits as it is here (`f28a0be6ddf7`).");
  expect(sentence("seen at f28a0be, by @bob")).toMatch(/^`.*`$/);
});
