import rehypeRaw from "rehype-raw";
import rehypeSanitize, { defaultSchema } from "rehype-sanitize";
import rehypeStringify from "rehype-stringify";
import remarkGfm from "remark-gfm";
import remarkParse from "remark-parse";
import remarkRehype from "remark-rehype";
import { unified } from "unified";
import type { Element, ElementContent, Root } from "hast";

const ALERT = /^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*/;

/**
 * GitHub Flavored Markdown as a comment shows it: tables, task lists, alerts, details, Mermaid. Raw HTML passes
 * GitHub's own allow-list (the default schema of hast-util-sanitize), so hostile text is shown, never run.
 */
export async function renderMarkdown(text: string): Promise<string> {
  const file = await unified()
    .use(remarkParse)
    .use(remarkGfm)
    .use(remarkRehype, { allowDangerousHtml: true })
    .use(rehypeRaw)
    .use(rehypeSanitize, defaultSchema)
    .use(() => decorate)
    .use(rehypeStringify)
    .process(text);
  return String(file);
}

/** After sanitising, so that a comment cannot bring these classes itself. */
function decorate(root: Root): void {
  visit(root, (element) => {
    if (element.tagName === "pre") markMermaid(element);
    if (element.tagName === "blockquote") markAlert(element);
    if (element.tagName === "a") element.properties["rel"] = ["nofollow"];
  });
}

function visit(node: Root | Element, act: (element: Element) => void): void {
  for (const child of node.children) {
    if (child.type !== "element") continue;
    act(child);
    visit(child, act);
  }
}

function markMermaid(pre: Element): void {
  const [code] = pre.children;
  if (code?.type !== "element" || code.tagName !== "code") return;
  const classes = code.properties["className"];
  if (!Array.isArray(classes) || !classes.includes("language-mermaid")) return;
  pre.properties["className"] = ["mermaid"];
  pre.children = code.children;
}

function markAlert(quote: Element): void {
  const paragraph = quote.children.find((child): child is Element => child.type === "element");
  const first = paragraph?.children[0];
  if (paragraph?.tagName !== "p" || first?.type !== "text") return;
  const kind = ALERT.exec(first.value)?.[1];
  if (kind === undefined) return;
  first.value = first.value.replace(ALERT, "");
  const title: ElementContent = {
    type: "element",
    tagName: "p",
    properties: { className: ["alert-title"] },
    children: [{ type: "text", value: kind.charAt(0) + kind.slice(1).toLowerCase() }],
  };
  quote.tagName = "div";
  quote.properties["className"] = ["alert", `alert-${kind.toLowerCase()}`];
  quote.children.unshift(title);
}
