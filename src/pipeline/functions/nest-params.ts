import { compareCodeUnits } from "../../core/index.ts";
import type { Json } from "../../core/index.ts";
import type { ParamsFrom } from "../stage.ts";
import type { Problem } from "./job.ts";

type Group = { [name: string]: Json };

/**
 * A stage's parameters as one object: `{"params.yaml": {"train.lr": 0.1}}` becomes `{train: {lr: 0.1}}`. Of a file that
 * is taken whole, the names stay as they are.
 */
export function nestParams(
  files: Readonly<Record<string, Readonly<Record<string, Json>>>>,
  declared: readonly ParamsFrom[],
): { readonly params: Json; readonly problem?: Problem } {
  const all: Group = {};
  const sources = new Map<string, string>();
  for (const file of Object.keys(files).sort(compareCodeUnits)) {
    const whole = declared.some(({ path, keys }) => path === file && keys === null);
    // A group comes before its own members, which say the same.
    for (const key of Object.keys(files[file]!).sort(compareCodeUnits)) {
      const way = whole ? [key] : key.split(".");
      const clash = [...sources].find(([other, from]) => from !== file && meets(other, way.join("\0")));
      if (clash !== undefined) {
        const reason = `would take the parameter ${key} from ${file} and from ${clash[1]}`;
        return { params: {}, problem: { reason, hint: "rename one of them" } };
      }
      sources.set(way.join("\0"), file);
      put(all, way, structuredClone(files[file]![key]!));
    }
  }
  return { params: all };
}

function meets(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}\0`) || b.startsWith(`${a}\0`);
}

function put(group: Group, [name = "", ...rest]: readonly string[], value: Json): void {
  if (rest.length === 0) return define(group, name, value);
  const inner = Object.hasOwn(group, name) ? group[name] : undefined;
  const next = (inner !== null && typeof inner === "object" ? inner : {}) as Group;
  define(group, name, next);
  put(next, rest, value);
}

/** Also for a parameter that is called `__proto__`. */
function define(group: Group, name: string, value: Json): void {
  Object.defineProperty(group, name, { value, enumerable: true, writable: true, configurable: true });
}
