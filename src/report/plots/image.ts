import type { PlotReport } from "./schema.ts";

/** Bytes of one picture: it goes into the page as text. */
const MOST = 64 * 1024;

/** Formats that a browser draws and that can hold neither a script nor an address: no SVG. */
const TYPES: readonly { name: RegExp; type: string; starts: (bytes: Buffer) => boolean }[] = [
  { name: /\.png$/i, type: "image/png", starts: (bytes) => bytes.toString("latin1", 0, 8) === "\x89PNG\r\n\x1A\n" },
  { name: /\.jpe?g$/i, type: "image/jpeg", starts: (bytes) => bytes.toString("latin1", 0, 3) === "\xFF\xD8\xFF" },
  { name: /\.gif$/i, type: "image/gif", starts: (bytes) => bytes.toString("latin1", 0, 4) === "GIF8" },
  { name: /\.webp$/i, type: "image/webp", starts: (bytes) => bytes.toString("latin1", 8, 12) === "WEBP" },
];

export function imageType(path: string): string | undefined {
  return TYPES.find(({ name }) => name.test(path))?.type;
}

/** A picture of each side as `data:` addresses; what is too large, or is not what its name says, is told. */
export function imagePlot(path: string, base: Buffer | null, head: Buffer | null): PlotReport {
  const notes = new Set<string>();
  const address = (bytes: Buffer | null): string | null => {
    const kind = TYPES.find(({ name }) => name.test(path));
    if (bytes === null || kind === undefined) return null;
    if (bytes.length > MOST) notes.add(`a picture of more than ${MOST / 1024} KiB is not shown`);
    else if (!kind.starts(bytes)) notes.add(`it is no ${kind.type}`);
    else return `data:${kind.type};base64,${bytes.toString("base64")}`;
    return null;
  };
  const both = { base: address(base), head: address(head) };
  const note = notes.size === 0 ? null : `${[...notes].join("; ")}.`;
  return { kind: "image", id: path, title: path, x: "", y: "", note, ...both };
}
