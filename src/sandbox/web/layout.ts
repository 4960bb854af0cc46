import { html, raw } from "hono/html";
import type { Repository, World } from "../world.ts";
import { STYLE } from "./style.ts";

/** What `html` templates give: escaped text, perhaps still to come. */
export type Html = ReturnType<typeof html>;

export type Tab = "Code" | "Issues" | "Pull requests" | "Actions" | "Releases" | "Deployments";

interface Frame {
  readonly world: World;
  readonly title: string;
  readonly repository?: Repository;
  readonly tab?: Tab;
}

/** The shell of every page. Mermaid draws what it finds; a page reads well without any script. */
export function page({ world, title, repository, tab }: Frame, body: Html | readonly Html[]): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · sandbox</title>
        <link rel="icon" href="data:," />
        <style>
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        <header>
          <div class="crumbs">
            <a href="/">sandbox</a
            >${repository === undefined ? "" : html` <span class="dim">/</span> <a href="/${slug(repository)}"><b>${slug(repository)}</b></a>`}
            <form method="post" action="/_sandbox/page/clock">
              <time>${world.clock.timestamp().replace("T", " ").replace("Z", " UTC")}</time
              ><button title="Moves the sandbox's clock; schedules on the way fire">+1 day</button>
            </form>
          </div>
          ${repository === undefined ? html`<nav></nav>` : tabs(repository, tab)}
        </header>
        <main>${body}</main>
        <script type="module">
          const drawings = document.querySelectorAll("pre.mermaid");
          if (drawings.length > 0) {
            for (const details of document.querySelectorAll("details:not(.log)")) {
              details.addEventListener(
                "toggle",
                () => draw(details.querySelectorAll("pre.mermaid:not([data-processed])")),
                { once: true },
              );
            }
            const script = document.createElement("script");
            script.src = "/_sandbox/page/mermaid.js";
            script.onload = () => {
              mermaid.initialize({
                startOnLoad: false,
                securityLevel: "strict",
                theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "default",
              });
              draw([...drawings].filter((drawing) => drawing.closest("details:not([open])") === null));
            };
            document.head.append(script);
          }
          function draw(nodes) {
            if (globalThis.mermaid && nodes.length) mermaid.run({ nodes: [...nodes], suppressErrors: true });
          }
        </script>
      </body>
    </html>`;
}

function tabs(repository: Repository, current: Tab | undefined): Html {
  const open = repository.issues.filter((issue) => issue.state === "open");
  const entries: readonly (readonly [Tab, string, number])[] = [
    ["Code", "", 0],
    ["Issues", "/issues", open.filter((issue) => issue.pull === undefined).length],
    ["Pull requests", "/pulls", open.filter((issue) => issue.pull !== undefined).length],
    ["Actions", "/actions", 0],
    ["Releases", "/releases", repository.releases.length],
    ["Deployments", "/deployments", repository.deployments.length],
  ];
  return html`<nav>
    ${entries.map(
      ([name, path, count]) =>
        html`<a href="/${slug(repository)}${path}" ${current === name ? raw('aria-current="page"') : ""}
          >${name}${count === 0 ? "" : html`<span class="count">${count}</span>`}</a
        >`,
    )}
  </nav>`;
}

export function slug(repository: Repository): string {
  return `${repository.owner}/${repository.name}`;
}

/** A state as a coloured sign; the word is there for who cannot see the colour. */
export function dot(state: string | null): Html {
  const [sign, colour] = SIGNS[state ?? ""] ?? ["●", "yellow"];
  return html`<span
    class="dot"
    style="color:var(--${colour})"
    title="${state ?? ""}"
    role="img"
    aria-label="${state ?? ""}"
    >${sign}</span
  >`;
}

const SIGNS: Readonly<Record<string, readonly [string, string]>> = {
  success: ["✓", "green"],
  failure: ["✗", "red"],
  error: ["✗", "red"],
  timed_out: ["✗", "red"],
  cancelled: ["⊘", "grey"],
  skipped: ["⊘", "grey"],
  neutral: ["■", "grey"],
  inactive: ["○", "grey"],
  action_required: ["!", "yellow"],
  open: ["⊙", "green"],
  closed: ["✓", "purple"],
  merged: ["⎇", "purple"],
};

/** "3 minutes ago" by the sandbox's clock, with the exact time to hover over. */
export function ago(world: World, at: string | null): Html {
  if (at === null) return html``;
  const seconds = Math.max(0, (world.clock.now().getTime() - Date.parse(at)) / 1000);
  const [amount, unit] =
    seconds < 60
      ? [seconds, "second"]
      : seconds < 3600
        ? [seconds / 60, "minute"]
        : seconds < 86_400
          ? [seconds / 3600, "hour"]
          : [seconds / 86_400, "day"];
  const text = new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(
    -Math.floor(amount as number),
    unit as "second",
  );
  return html`<time datetime="${at}" title="${at}">${text}</time>`;
}

/** Time between two instants, for people. */
export function took(from: string | null, to: string | null): string {
  if (from === null || to === null) return "";
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
}
