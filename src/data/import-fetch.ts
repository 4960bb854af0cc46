import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { attempt, fail, ok } from "../core/index.ts";
import type { Context, Digest, Result } from "../core/index.ts";
import { mapLimited } from "../store/files.ts";
import { digestOf, encodeTree } from "../store/index.ts";
import type { Origin, OriginFile, Pin, TransferOptions } from "./import-origin.ts";
import { pinOfList } from "./import-pin.ts";
import { receive } from "./import-receive.ts";

/** Files of a folder that are fetched at once. */
const WIDTH = 8;
const PIN = "pin.json";
const pinSchema = z.strictObject({
  etag: z.string().optional(),
  lastModified: z.string().optional(),
  size: z.number().optional(),
  listing: z.string().optional(),
});

/**
 * Brings what an origin has to `<folder>/content`, and says what it was. What an import that was cut short has left in
 * the folder is used as far as the origin still has the same.
 */
export async function fetchOrigin(
  context: Context,
  origin: Origin,
  folder: string,
  options: TransferOptions,
): Promise<Result<Pin>> {
  const saved = await savedPin(folder);
  return origin.list === undefined
    ? fetchFile(context, origin, folder, saved, options)
    : fetchFolder(context, origin, origin.list, folder, saved, options);
}

async function fetchFile(
  context: Context,
  origin: Origin,
  folder: string,
  saved: Pin | undefined,
  options: TransferOptions,
): Promise<Result<Pin>> {
  const tell = meter(context, `import ${origin.name === "" ? origin.url : origin.name}`);
  const into = join(folder, "content");
  const receipt = {
    what: origin.url,
    path: "",
    into,
    pin: saved,
    begun: async (pin: Pin) => savePin(folder, pin),
    progress: (bytes: number, { size }: Pin) => tell(bytes, size ?? Number.POSITIVE_INFINITY),
  };
  const pin = await receive(context, origin, receipt, options);
  if (!pin.ok) return pin;
  const { size } = await stat(into);
  if (pin.value.size === undefined) tell(0, size);
  return ok({ ...pin.value, size });
}

async function fetchFolder(
  context: Context,
  origin: Origin,
  list: NonNullable<Origin["list"]>,
  folder: string,
  saved: Pin | undefined,
  options: TransferOptions,
): Promise<Result<Pin>> {
  const listed = await list();
  if (!listed.ok) return listed;
  const files = listed.value;
  if (files.length === 0) {
    return fail({ code: "external", what: origin.url, problem: "there is no object below that prefix" });
  }
  // The names are somebody else's: those that leave the folder, or cannot live side by side, end it here.
  const nothing = digestOf(Buffer.alloc(0)) as Digest;
  const sound = encodeTree(
    origin.url,
    files.map(({ path, size }) => ({ path, size, mode: "644", digest: nothing })),
  );
  if (!sound.ok) return sound;
  const pin = pinOfList(files);
  if (saved?.listing !== pin.listing) {
    const begun = await startAgain(folder, pin);
    if (!begun.ok) return begun;
  }
  const total = pin.size ?? 0;
  const tell = meter(context, `import ${origin.name}`);
  tell(0, total);
  let failed: Result<never> | undefined;
  await mapLimited([...files.entries()], WIDTH, async ([index, file]) => {
    if (failed !== undefined) return;
    const got = await fetchOne(context, origin, folder, index, file, (bytes) => tell(bytes, total), options);
    if (!got.ok) failed ??= got;
  });
  return failed ?? ok(pin);
}

/** A file gets its name in the folder only when it is whole, so one that is there need not come again. */
async function fetchOne(
  context: Context,
  origin: Origin,
  folder: string,
  index: number,
  { path, size, etag }: OriginFile,
  progress: (bytes: number) => void,
  options: TransferOptions,
): Promise<Result<void>> {
  const to = join(folder, "content", path);
  const there = await stat(to).catch(() => undefined);
  if (there?.size === size) {
    progress(size);
    return ok();
  }
  const what = `${path} in ${origin.url}`;
  const into = join(folder, `part-${index}`);
  const pin: Pin = { size, ...(etag === undefined ? {} : { etag }) };
  const begun = async (now: Pin): Promise<Result<void>> => {
    if (now.size === size && (etag === undefined || now.etag === etag)) return ok();
    return fail({
      code: "external",
      what,
      problem: "it changed after it was listed",
      hint: "run the same command again",
    });
  };
  const got = await receive(context, origin, { what, path, into, pin, begun, progress }, options);
  if (!got.ok) return got;
  return attempt(to, async () => {
    await mkdir(dirname(to), { recursive: true });
    await rename(into, to);
  });
}

/** Tells the progress of a task; the counts of several transfers add up. */
function meter(context: Context, task: string): (bytes: number, total: number) => void {
  let done = 0;
  return (bytes, total) => {
    done += bytes;
    context.emit({ type: "progress", task, unit: "bytes", done, total });
  };
}

async function savedPin(folder: string): Promise<Pin | undefined> {
  const text = await readFile(join(folder, PIN), "utf8").catch(() => "");
  try {
    const pin = pinSchema.safeParse(JSON.parse(text));
    return pin.success ? (pin.data as Pin) : undefined;
  } catch {
    return undefined; // none, or half written: the import begins from the start
  }
}

async function savePin(folder: string, pin: Pin): Promise<Result<void>> {
  return attempt(folder, async () => writeFile(join(folder, PIN), JSON.stringify(pin)));
}

async function startAgain(folder: string, pin: Pin): Promise<Result<void>> {
  const emptied = await attempt(folder, async () => {
    await rm(folder, { recursive: true });
    await mkdir(join(folder, "content"), { recursive: true });
  });
  return emptied.ok ? savePin(folder, pin) : emptied;
}
