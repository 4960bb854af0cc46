import { expect } from "vitest";
import { renderHtml, renderMarkdown, renderText } from "../../src/report/index.ts";
import type { Report } from "../../src/report/index.ts";
import { awake, commands, commentDom, domOf, leadsTo, orders, pictureParts, skeleton, unseen } from "./judge.ts";

const NO_LIMIT = { maxCharacters: 1e9 };
const RUN = "https://github.test/acme/digits/actions/runs/1";

interface Shapes {
  readonly comment: string[];
  readonly page: string[];
  readonly pictures: Set<string>;
  readonly graphs: Set<string>;
}

const graphs = (markdown: string): string[] =>
  [...markdown.matchAll(/^```mermaid\n([^]*?)\n```$/gm)].map(([, graph = ""]) => graph);
/** The kinds of lines in the graphs: without numbers, and without what is said in quotes, which has to be plain. */
const kindsOf = (markdown: string): Set<string> =>
  new Set(
    graphs(markdown)
      .flatMap((graph) => graph.replace(/"[\p{L}\p{N} ._,:%()/…–−-]*"/gu, '""').split("\n"))
      .map((line) => line.replace(/\d+/g, "0")),
  );

/** How the same report looks with texts that want nothing. */
export async function shapesOf(report: Report): Promise<Shapes> {
  const markdown = renderMarkdown(report, NO_LIMIT);
  const page = await domOf(await renderHtml(report));
  return {
    comment: skeleton(await commentDom(markdown)),
    page: skeleton(page),
    pictures: pictureParts(page),
    graphs: kindsOf(markdown),
  };
}

/** Holds that the texts of a report did nothing but stand there: in the comment, the page, the terminal, the graph. */
export async function expectHarmless(report: Report, shapes: Shapes): Promise<void> {
  const markdown = renderMarkdown(report, NO_LIMIT);
  expect(unseen(markdown)).toEqual([]);
  expect(commands(markdown)).toEqual([]);
  expect(markdown).not.toContain("<!--");
  expect(orders(markdown)).toEqual([]);
  const comment = await commentDom(markdown);
  expect(awake(comment, [RUN])).toEqual([]);
  expect(skeleton(comment)).toEqual(shapes.comment);
  expect([...kindsOf(markdown)].filter((line) => !shapes.graphs.has(line))).toEqual([]);

  const html = await renderHtml(report);
  const page = await domOf(html);
  expect(unseen(html)).toEqual([]);
  expect(leadsTo(page, [RUN])).toEqual([]);
  expect(skeleton(page)).toEqual(shapes.page);
  expect([...pictureParts(page)].filter((part) => !shapes.pictures.has(part))).toEqual([]);

  const text = renderText(report);
  expect(unseen(text)).toEqual([]);
  expect(commands(text)).toEqual([]);
}
