import { isDeepStrictEqual } from "node:util";
import { isMap, isScalar, parseDocument } from "yaml";
import type { YAMLMap } from "yaml";
import type { Json } from "../../core/index.ts";
import { pathOf } from "../params.ts";

/**
 * A yaml or json parameter file without the parameters that are not declared, its layout kept as far as it goes.
 * Undefined: it cannot be cut (another format, anchors and aliases), and is to be shown whole.
 */
export function cutParams(file: string, text: string, keys: readonly string[]): string | undefined {
  if (!/\.(ya?ml|json)$/.test(file)) return undefined;
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined;
  const whole = document.toJS() as Json;
  const wanted = keys.flatMap((key) => {
    const path = pathOf(whole, key);
    return path === undefined ? [] : [path];
  });
  try {
    cut(document.contents, wanted);
    const left = document.toString({ lineWidth: 0 });
    const read: unknown = file.endsWith(".json") ? JSON.parse(left) : parseDocument(left).toJS();
    return isDeepStrictEqual(read, picked(whole, wanted)) ? left : undefined;
  } catch {
    return undefined; // an alias whose anchor went, or JSON that came out as YAML
  }
}

/** Leaves what the paths lead to or through; a list is not cut, because that would count its items anew. */
function cut(map: YAMLMap, wanted: readonly (readonly string[])[]): void {
  map.items = map.items.filter(({ key, value }) => {
    const name = String(isScalar(key) ? key.value : key);
    const inside = wanted.filter(([first]) => first === name).map((path) => path.slice(1));
    if (isMap(value) && inside.length > 0 && inside.every((path) => path.length > 0)) cut(value, inside);
    return inside.length > 0;
  });
}

function picked(value: Json, wanted: readonly (readonly string[])[]): Json {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  if (wanted.some((path) => path.length === 0)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]): [string, Json][] => {
      const inside = wanted.filter(([first]) => first === name).map((path) => path.slice(1));
      return inside.length === 0 ? [] : [[name, picked(member as Json, inside)]];
    }),
  );
}
