import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { factAtMost } from "./aim.ts";
import type { Case } from "./cases.ts";
import type { Facts } from "./compete.ts";
import { CommandFailed } from "./measure.ts";
import type { Command } from "./measure.ts";
import type { Due, Seen, Told } from "./post/server.ts";
import type { ReportBench } from "./report-cases.ts";

const EXAMPLES = 10_000;
/** How the server tells of the request that leaves the comment. */
const COMMENT = /^POST \/repos\/acme\/toy\/issues\/\d+\/comments$/;

/**
 * The action as it is released, from the result archive of an experiment to everything it writes, in a job whose clone is
 * there. GitHub is the sandbox, in a process of its own; each run reports a pull request of its own.
 */
export function postCase({ place, program, scale, runs }: ReportBench): Case {
  const examples = Math.max(200, Math.ceil(EXAMPLES * scale));
  const action = join(dirname(program), "..", "actions", "dist", "report.js");
  const folder = join(place.folder, "post");
  let server: ChildProcess | undefined;
  let due: readonly Due[] = [];
  let run = 0;
  const begun = join(folder, "begun");
  return {
    name: "post",
    title: `report on a pull request, ${examples.toLocaleString("en")} examples: from the result to everything posted`,
    entrants: [
      {
        name: "actions/report",
        role: "ours",
        async setup() {
          mkdirSync(join(folder, "runner"), { recursive: true });
          const { env } = place.command(folder, []);
          const main = join(import.meta.dirname, "post", "server.ts");
          server = fork(main, [`${runs}`, `${examples}`], { cwd: folder, env });
          const said = await tell(server);
          due = "due" in said ? said.due : [];
        },
        prepare(next) {
          run = next;
          writeFileSync(join(folder, "event.json"), JSON.stringify(due[run]?.event));
          for (const file of ["output", "summary"]) writeFileSync(join(folder, file), "");
        },
        commands(): Command[] {
          const { workspace, env } = due[run]!;
          const start = ["bash", "-c", 'date +%s%3N > "$0" && exec "$@"', begun, process.execPath, action];
          return [
            place.command(workspace, start, {
              ...env,
              GITHUB_EVENT_PATH: join(folder, "event.json"),
              GITHUB_OUTPUT: join(folder, "output"),
              GITHUB_STEP_SUMMARY: join(folder, "summary"),
              RUNNER_TEMP: join(folder, "runner"),
            }),
          ];
        },
        async facts(): Promise<Facts> {
          server!.send("what came?");
          const said = await tell(server!);
          return factsOf("seen" in said ? said.seen : [], Number(readFileSync(begun, "utf8")));
        },
        async finish() {
          if (server === undefined || server.exitCode !== null) return;
          const ended = once(server, "exit");
          if (server.connected) server.disconnect();
          await ended;
        },
      },
    ],
    aims: [
      factAtMost("seconds to the comment", 2, "s", "comment posted within 2 s of the start"),
      factAtMost("requests", 12, "requests", "at most 12 requests to the API"),
    ],
  };
}

/** The next thing that the server tells. @throws CommandFailed when it ends instead */
async function tell(server: ChildProcess): Promise<Told> {
  const ended = once(server, "exit").then(() => undefined);
  const said = await Promise.race([once(server, "message"), ended]);
  if (said === undefined) throw new CommandFailed("the server of the benchmark ended");
  return said[0] as Told;
}

function factsOf(seen: readonly Seen[], begun: number): Facts {
  const comment = seen.find(({ what }) => COMMENT.test(what));
  const last = seen.at(-1);
  if (comment === undefined || last === undefined)
    throw new CommandFailed(`no comment was posted: ${seen.map(({ what }) => what).join(", ")}`);
  const after = ({ at }: Seen): number => (at - begun) / 1000;
  return {
    requests: seen.length,
    "seconds to the comment": after(comment),
    "seconds to the last write": after(last),
  };
}
