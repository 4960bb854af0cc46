import type { Handler } from "./call.ts";

/** `METHOD /path/{param}`, spelled as in GitHub's API description. */
export type RouteName = `${"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} /${string}`;
export type Routes = Readonly<Record<RouteName, Handler>>;

/** Parameters that may hold slashes. */
const GREEDY = new Set(["ref", "path", "branch", "tag", "basehead", "name"]);

export interface Match {
  readonly name: RouteName;
  readonly template: string;
  readonly handler: Handler;
  readonly params: Readonly<Record<string, string>>;
}

function pattern(template: string): RegExp {
  const source = template.replace(/\{(\w+)\}|[.+]/g, (text, name: string | undefined) =>
    name === undefined ? `\\${text}` : `(?<${name}>${name === "path" ? ".*" : GREEDY.has(name) ? ".+" : "[^/]+"})`,
  );
  // Clients leave out the slash before an empty path.
  return new RegExp(`^${source.replace("/(?<path>.*)", "(?:/(?<path>.*))?")}$`);
}

/** Fixed text is tried before a parameter, what goes on before what ends: `/commits/{ref}/status` before `/commits/{ref}`. */
function rank(template: string): string {
  const parts = template.split("/").map((part) => {
    if (!part.startsWith("{")) return "0";
    return GREEDY.has(part.slice(1, -1)) ? "2" : "1";
  });
  return `${parts.join("")}3`;
}

/** Finds the route of a request by method and decoded path. */
export function router(routes: Routes): (method: string, path: string) => Match | undefined {
  const table = Object.entries(routes)
    .map(([name, handler]) => {
      const [method = "", template = ""] = name.split(" ");
      return { name: name as RouteName, method, template, handler, pattern: pattern(template), rank: rank(template) };
    })
    .toSorted((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0));
  return (method, path) => {
    for (const entry of table) {
      if (entry.method !== method) continue;
      const match = entry.pattern.exec(path);
      const { name, template, handler } = entry;
      if (match !== null) return { name, template, handler, params: match.groups ?? {} };
    }
    return undefined;
  };
}
