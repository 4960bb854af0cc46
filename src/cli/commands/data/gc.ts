import { describe, fail, ok } from "../../../core/index.ts";
import type { Context, Digest, Result } from "../../../core/index.ts";
import { amountOf, collectGarbage } from "../../../data/index.ts";
import type { GcReport } from "../../../data/index.ts";
import { localCache } from "../../../store/index.ts";
import type { Answer, Edge } from "../../command.ts";
import { bytes, counted, duration, grouped, printable, table } from "../../text.ts";
import { teamStore } from "./stores.ts";
import type { Group } from "./stores.ts";

interface Options {
  readonly delete?: boolean;
  readonly cache?: boolean;
  readonly grace: string;
  readonly tips?: boolean;
  readonly newerThan?: string;
  /** False with --no-pull-requests. */
  readonly pullRequests: boolean;
  readonly missingOk?: boolean;
  readonly unreadableOk?: boolean;
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Lines about one kind of trouble; --json has all. */
const TOLD = 10;

export function gc(edge: Edge, group: Group): void {
  group("gc", "say what nothing needs in the store, and delete it")
    .option("--delete", "delete what has been unneeded for the grace period")
    .option("--cache", "in this working copy's cache, not the team's store")
    .option("--grace <time>", "how long what is unneeded or new is kept, as in 24h or 7d", "24h")
    .option("--tips", "what only older commits name is unneeded")
    .option("--newer-than <time>", "what only commits and records older than this name is unneeded, as in 90d")
    .option("--no-pull-requests", "do not look at open pull requests")
    .option("--missing-ok", "go on where the store lacks what a commit names")
    .option("--unreadable-ok", "go on where a lockfile in git's history cannot be read")
    .action(async (options: Options) => edge.out.answer(await run(edge.context(), options)));
}

async function run(context: Context, options: Options): Promise<Result<Answer>> {
  const grace = spanOf("--grace", options.grace);
  if (!grace.ok) return grace;
  const newer = options.newerThan === undefined ? ok(undefined) : spanOf("--newer-than", options.newerThan);
  if (!newer.ok) return newer;
  const store = options.cache ? ok(localCache(context)) : await teamStore(context);
  if (!store.ok) return store;
  const logged = options.cache ? ok<Digest[]>([]) : await loggedIn(context, store.value.url);
  if (!logged.ok) return logged;
  const collected = await collectGarbage(context, {
    store: store.value,
    team: options.cache !== true,
    graceMs: grace.value,
    remove: options.delete ?? false,
    tipsOnly: options.tips ?? false,
    ...(newer.value === undefined ? {} : { since: new Date(context.now().getTime() - newer.value) }),
    pullRequests: options.pullRequests,
    logged: logged.value,
    missingOk: options.missingOk ?? false,
    unreadableOk: options.unreadableOk ?? false,
  });
  if (!collected.ok) return collected;
  return ok({ json: collected.value, text: textOf(collected.value, options, context.now().getTime()) });
}

async function loggedIn(context: Context, url: string): Promise<Result<Digest[]>> {
  const { loggedBlobs } = await import("../../../monitor/index.ts");
  return loggedBlobs(context, url);
}

/** A time as in 90s, 30m, 24h, 7d or 0, in ms. */
function spanOf(option: string, text: string): Result<number> {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  if (text === "0") return ok(0);
  if (count !== undefined && unit !== undefined) return ok(Number(count) * UNITS[unit]!);
  return fail({ code: "usage", message: `${option} ${text} is no time`, hint: "as in 90s, 30m, 24h, 7d or 0" });
}

function textOf(report: GcReport, { grace, cache }: Options, now: number): string {
  const { objects, needed, due, waiting, removed, leftovers } = report;
  const freed = amountOf([...due, ...leftovers.map((leftover) => ({ size: leftover.bytes }))]);
  const again = `lockstep data gc --delete${cache ? " --cache" : ""}`;
  return [
    `${report.store}: ${counted(objects.objects, "object")}, ${bytes(objects.bytes)}`,
    "",
    table([
      ["needed by", "contents"],
      ...Object.entries(report.marks).map(([source, count]) => [source, grouped(count)]),
    ]),
    `together ${counted(needed.objects, "object")}, ${bytes(needed.bytes)}`,
    "",
    ...(due.length + waiting.length + leftovers.length === 0 ? ["nothing is unneeded"] : [tableOf(report, grace, now)]),
    ...wasteLines(report),
    ...missingLines(report),
    ...report.doubts.flatMap((doubt) => ["", `nothing can be deleted: ${describe(doubt)}`]).slice(0, 2 * TOLD),
    "",
    ...(removed
      ? [
          `deleted ${counted(freed.objects, "object")}, ${bytes(freed.bytes)}`,
          ...(waiting.length === 0 ? [] : [`the rest goes when \`${again}\` runs ${grace} from now or later`]),
        ]
      : [`nothing was deleted; \`${again}\` deletes what is due and starts the grace period of the rest`]),
  ].join("\n");
}

function tableOf({ due, waiting, removed, leftovers }: GcReport, grace: string, now: number): string {
  const kinds = ["checkpoints", "trees", "layouts", "packs", "files"] as const;
  const rows = [
    { objects: due, state: removed ? "deleted" : "due", why: `nothing has needed it for ${grace}` },
    {
      objects: waiting,
      state: "waits",
      why: `nothing needs it, but that was found, or it was written, less than ${grace} ago`,
    },
  ].flatMap(({ objects, state, why }) =>
    kinds.flatMap((kind) => {
      const of = objects.filter((object) => object.kind === kind);
      if (of.length === 0) return [];
      const { bytes: size } = amountOf(of);
      const age = Math.max(0, now - of.reduce((oldest, { modified }) => Math.min(oldest, modified), now));
      return [[state, kind, grouped(of.length), bytes(size), ageOf(age), why]];
    }),
  );
  const left = leftovers.reduce((sum, leftover) => sum + leftover.bytes, 0);
  const why = "left behind by a process that was killed";
  const last = [removed ? "deleted" : "due", "leftovers", grouped(leftovers.length), bytes(left), "", why];
  return table([["", "kind", "objects", "bytes", "oldest", "why"], ...rows, ...(leftovers.length === 0 ? [] : [last])]);
}

function wasteLines({ waste }: GcReport): string[] {
  if (waste.length === 0) return [];
  const lost = waste.reduce((sum, { size, live }) => sum + size - live, 0);
  return [
    "",
    `${counted(waste.length, "pack")} hold ${bytes(lost)} that nothing needs beside what is needed; pushing a new version of their data packs it again`,
  ];
}

function missingLines({ missing }: GcReport): string[] {
  if (missing.length === 0) return [];
  const lines = missing.slice(0, TOLD).map(({ why, problem }) => `  ${printable(why)}: ${printable(problem)}`);
  const more = missing.length > TOLD ? [`  and ${grouped(missing.length - TOLD)} more`] : [];
  return ["", `${counted(missing.length, "content")} named and not (wholly) there:`, ...lines, ...more];
}

function ageOf(ms: number): string {
  return ms >= UNITS["d"]! ? `${Math.floor(ms / UNITS["d"]!)} d` : duration(ms);
}
