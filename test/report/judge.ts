import rehypeRaw from "rehype-raw";
import { unified } from "unified";
import { renderMarkdown as renderAsGitHub } from "../../src/sandbox/web/markdown.ts";

interface Node {
  readonly type: string;
  readonly tagName?: string;
  readonly value?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly children?: readonly Node[];
}

/** A page's elements and texts, as a browser's parser makes them of it. */
export async function domOf(html: string): Promise<Node> {
  const root = { type: "root", children: [{ type: "raw", value: html }] };
  return (await unified()
    .use(rehypeRaw)
    .run(root as never)) as Node;
}

export const commentDom = async (markdown: string): Promise<Node> => domOf(await renderAsGitHub(markdown));

function all(node: Node): Node[] {
  return [node, ...(node.children ?? []).flatMap(all)];
}

/** Elements that say "foreign text" and nothing else: how often they stand may depend on the text. */
const TEXTUAL = new Set(["code", "span"]);

/** Elements outside of pictures, with their place and the names of their attributes. The text decides about none. */
export function skeleton(node: Node, depth = 0): string[] {
  const { tagName = "" } = node;
  const own = tagName === "" || TEXTUAL.has(tagName) ? [] : [`${depth} ${tagName} ${attributes(node)}`];
  if (tagName === "svg") return own;
  const inner = own.length === 0 ? depth : depth + 1;
  return [...own, ...(node.children ?? []).flatMap((child) => skeleton(child, inner))];
}

const attributes = ({ properties = {} }: Node): string => Object.keys(properties).sort().join(",");

/** Names of the elements and attributes inside of pictures. */
export function pictureParts(node: Node): Set<string> {
  const inside = all(node).filter(({ tagName }) => tagName === "svg");
  return new Set(inside.flatMap(all).flatMap((part) => [part.tagName ?? "", ...Object.keys(part.properties ?? {})]));
}

/** Lines of the raw text that a bot could read as an order. */
export function orders(markdown: string): string[] {
  return markdown.split("\n").filter((line) => /^\s*\/[a-z-]+(?:\s|$)/i.test(line));
}

/** Text that GitHub looks through for mentions, references, addresses and emoji: all but code and links. */
export function loose(node: Node): string {
  if (["pre", "code", "tt", "a", "style"].includes(node.tagName ?? "")) return " ";
  return node.type === "text" ? (node.value ?? "") : (node.children ?? []).map(loose).join("");
}

const WAKES: readonly (readonly [string, RegExp])[] = [
  ["a mention", /(?<![\w`])@[a-z0-9]/i],
  ["a reference", /(?<![\w&])#\d|\bgh-\d/i],
  ["a commit", /\b(?=[0-9a-f]*\d)[0-9a-f]{7,40}\b|deadbee/],
  ["an emoji", /:[a-z0-9_+-]+:/i],
  ["an address", /www\.|:\/\/|javascript:|mailto:|evil/i],
  ["a formula", /\$/],
];

/** Where a page may lead: nowhere, but to what these say and inside of itself. The bytes of a picture lead nowhere. */
export function leadsTo(node: Node, allowed: readonly string[] = []): string[] {
  const names = ["href", "src", "srcSet", "action", "formAction", "xLinkHref", "data", "poster", "background"];
  const found = all(node).flatMap(({ tagName, properties = {} }) =>
    names
      .filter(
        (name) => !(tagName === "img" && name === "src" && /^data:image\/[a-z+]+;base64,/.test(String(properties.src))),
      )
      .flatMap((name) => properties[name] ?? []),
  );
  return found.map(String).filter((url) => !url.startsWith("#") && !allowed.includes(url));
}

/** What hostile text has brought about in a comment; empty when nothing. */
export function awake(dom: Node, allowed: readonly string[] = []): string[] {
  const text = loose(dom);
  const events = all(dom).flatMap(({ properties = {} }) => Object.keys(properties).filter((name) => /^on/i.test(name)));
  return [
    ...WAKES.flatMap(([what, pattern]) => (pattern.test(text) ? [what] : [])),
    ...leadsTo(dom, allowed),
    ...events,
  ];
}

/** Characters nobody sees, that move a cursor, or that pile up over the lines around; a newline is ours. */
export function unseen(text: string): string[] {
  return text.match(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]|\p{M}{5,}/gu) ?? [];
}

/** Lines that a runner takes for a command, wherever it finds them in a job's log. */
export function commands(text: string): string[] {
  return text.split("\n").filter((line) => /^\s*::|##\[|##vso\[/.test(line));
}
