import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { Readable } from "node:stream";
import { html, raw } from "hono/html";
import type { Context, Hono } from "hono";
import type { Repository, World } from "../world.ts";
import { branches, commits, fileText, files } from "./git.ts";
import { page, slug } from "./layout.ts";
import type { Html, Tab } from "./layout.ts";
import { deploymentList, issueList, issuePage, releaseList, size } from "./lists.ts";
import { renderMarkdown } from "./markdown.ts";
import { commitList, pullPage } from "./pull.ts";
import { runList, runPage } from "./runs.ts";

const DAY = 24 * 60 * 60 * 1000;

/** What the pages need of the sandbox to act for the person who looks: the repository's owner. */
export interface WebActions {
  /** A person's token. */
  readonly token: (login: string) => string;
}

/** Adds the pages a person would look at. Everything is rendered here; the API is not involved in reading. */
export function mountWeb(app: Hono, world: World, actions: WebActions): void {
  const show = async (
    c: Context,
    title: string,
    tab: Tab,
    body: (repository: Repository) => Html | undefined | Promise<Html | undefined>,
  ): Promise<Response> => {
    const repository = world.repositories.get(`${c.req.param("owner")}/${c.req.param("repo")}`);
    const content = repository === undefined ? undefined : await body(repository);
    if (repository === undefined || content === undefined) {
      return c.html(
        await page(
          { world, title: "Not found" },
          html`<p class="empty">There is nothing at <code>${c.req.path}</code>.</p>`,
        ),
        404,
      );
    }
    return c.html(await page({ world, title: `${title} · ${slug(repository)}`, repository, tab }, content));
  };
  const issueOf = (repository: Repository, c: Context) =>
    repository.issues.find((issue) => issue.number === Number(c.req.param("number")));

  app.get("/", async (c) => c.html(await page({ world, title: "Repositories" }, repositoryList(world))));
  app.get("/:owner/:repo", async (c) => show(c, "Code", "Code", async (repository) => codePage(world, repository)));
  app.get("/:owner/:repo/blob/:ref{[^/]+}/:path{.+}", async (c) =>
    show(c, c.req.param("path"), "Code", async (repository) =>
      filePage(repository, c.req.param("ref"), c.req.param("path")),
    ),
  );
  app.get("/:owner/:repo/issues", async (c) =>
    show(c, "Issues", "Issues", (repository) => issueList(world, repository, false)),
  );
  app.get("/:owner/:repo/pulls", async (c) =>
    show(c, "Pull requests", "Pull requests", (repository) => issueList(world, repository, true)),
  );
  for (const path of ["issues", "pull"] as const) {
    app.get(`/:owner/:repo/${path}/:number`, async (c) =>
      show(c, `#${c.req.param("number")}`, path === "pull" ? "Pull requests" : "Issues", (repository) => {
        const issue = issueOf(repository, c);
        if (issue === undefined) return undefined;
        return issue.pull === undefined
          ? issuePage(world, repository, issue)
          : pullPage(world, repository, issue, issue.pull);
      }),
    );
  }
  app.get("/:owner/:repo/actions", async (c) =>
    show(c, "Actions", "Actions", (repository) => runList(world, repository)),
  );
  app.get("/:owner/:repo/actions/runs/:id", async (c) =>
    show(c, "Workflow run", "Actions", (repository) => {
      const run = repository.runs.find((entry) => entry.id === Number(c.req.param("id")));
      return run === undefined ? undefined : runPage(world, repository, run);
    }),
  );
  app.get("/:owner/:repo/releases", async (c) =>
    show(c, "Releases", "Releases", async (repository) => releaseList(world, repository)),
  );
  app.get("/:owner/:repo/deployments", async (c) =>
    show(c, "Deployments", "Deployments", (repository) => deploymentList(world, repository)),
  );
  app.get("/:owner/:repo/releases/download/:id/:name", (c) => {
    const repository = world.repositories.get(`${c.req.param("owner")}/${c.req.param("repo")}`);
    const asset = repository?.releases
      .flatMap((release) => release.assets)
      .find((entry) => entry.id === Number(c.req.param("id")));
    if (asset === undefined) return c.notFound();
    return new Response(Readable.toWeb(createReadStream(world.blobPath(asset.blob))) as ReadableStream, {
      headers: { "content-type": "application/octet-stream", "content-length": String(asset.size) },
    });
  });
  // As GitHub's: whoever opens an artifact fetches it.
  app.get("/:owner/:repo/actions/runs/:run/artifacts/:id", (c) => {
    const repository = world.repositories.get(`${c.req.param("owner")}/${c.req.param("repo")}`);
    const found = repository?.artifacts.find((artifact) => artifact.id === Number(c.req.param("id")));
    if (found === undefined || found.runId !== Number(c.req.param("run"))) return c.notFound();
    return new Response(Readable.toWeb(createReadStream(world.blobPath(found.blob))) as ReadableStream, {
      headers: {
        "content-type": "application/zip",
        "content-length": String(found.size),
        "content-disposition": 'attachment; filename="artifact.zip"',
      },
    });
  });

  mountButtons(app, world, actions);
  app.get("/_sandbox/page/mermaid.js", async (c) => {
    const script = createRequire(import.meta.url).resolve("@mermaid-js/tiny");
    return c.body(await readFile(script), 200, { "content-type": "text/javascript", "cache-control": "max-age=86400" });
  });
}

/** The few things a person would press. Each is one call of the API as the repository's owner. */
function mountButtons(app: Hono, world: World, actions: WebActions): void {
  const call = async (repository: string, method: string, path: string): Promise<void> => {
    const owner = repository.split("/")[0] ?? "";
    await fetch(`${world.origin}/api/v3/repos/${repository}${path}`, {
      method,
      headers: { authorization: `token ${actions.token(owner)}` },
    });
  };
  // A page of another site can post here too; only requests that this origin's pages make are taken.
  app.use("/_sandbox/page/*", async (c, next) => {
    const origin = c.req.header("origin");
    if (c.req.method === "POST" && origin !== undefined && new URL(origin).host !== c.req.header("host"))
      return c.text("refused", 403);
    await next();
  });
  const back = (c: Context, path: string): Response => c.redirect(path, 303);
  app.post("/_sandbox/page/clock", async (c) => {
    await world.moveClock(new Date(world.clock.now().getTime() + DAY));
    return back(c, c.req.header("referer") ?? "/");
  });
  app.post("/_sandbox/page/:owner/:repo/pull/:number/merge", async (c) => {
    const { owner, repo, number } = c.req.param();
    await call(`${owner}/${repo}`, "PUT", `/pulls/${number}/merge`);
    return back(c, `/${owner}/${repo}/pull/${number}`);
  });
  app.post("/_sandbox/page/:owner/:repo/pull/:number/approve", async (c) => {
    const { owner, repo, number } = c.req.param();
    const repository = world.repositories.get(`${owner}/${repo}`);
    const head = repository?.issues.find((issue) => issue.number === Number(number))?.pull?.headSha;
    for (const run of repository?.runs ?? []) {
      if (run.headSha === head && run.status === "action_required")
        await call(`${owner}/${repo}`, "POST", `/actions/runs/${run.id}/approve`);
    }
    return back(c, `/${owner}/${repo}/pull/${number}`);
  });
  app.post("/_sandbox/page/:owner/:repo/actions/runs/:id/approve", async (c) => {
    const { owner, repo, id } = c.req.param();
    await call(`${owner}/${repo}`, "POST", `/actions/runs/${id}/approve`);
    return back(c, `/${owner}/${repo}/actions/runs/${id}`);
  });
}

function repositoryList(world: World): Html {
  const all = [...world.repositories.values()];
  if (all.length === 0) return html`<p class="empty">No repositories yet.</p>`;
  return html`<ul class="list">
    ${all.map(
      (repository) =>
        html`<li>
          <span class="grow"><a class="title" href="/${slug(repository)}">${slug(repository)}</a></span
          ><span class="dim">${repository.private ? "private" : "public"}</span>
        </li>`,
    )}
  </ul>`;
}

async function codePage(world: World, repository: Repository): Promise<Html> {
  const revision = repository.defaultBranch;
  const [names, list, history, readme] = await Promise.all([
    branches(repository),
    files(repository, revision),
    commits(repository, revision),
    fileText(repository, revision, "README.md"),
  ]);
  if (list.length === 0) {
    return html`<div class="empty">
      This repository is empty.<br /><code>git push ${world.origin}/${slug(repository)}.git HEAD:${revision}</code>
    </div>`;
  }
  return html`<p class="dim">Branches: ${names.map((name) => html`<code>${name}</code> `)}</p>
    <h2>Commits</h2>
    ${commitList(world, history.slice(0, 8))}
    <h2>Files</h2>
    <ul class="list">
      ${list.map(
        (file) =>
          html`<li>
            <span class="grow"
              ><a href="/${slug(repository)}/blob/${revision}/${encodeURI(file.path)}">${file.path}</a></span
            ><span class="dim">${size(file.size)}</span>
          </li>`,
      )}
    </ul>
    ${
      readme === undefined
        ? ""
        : html`<div class="box">
            <div class="head"><b>README.md</b></div>
            <div class="body md">${raw(await renderMarkdown(readme))}</div>
          </div>`
    }`;
}

async function filePage(repository: Repository, ref: string, path: string): Promise<Html | undefined> {
  const text = await fileText(repository, ref, path);
  if (text === undefined) return undefined;
  const body = path.endsWith(".md")
    ? html`<div class="box"><div class="body md">${raw(await renderMarkdown(text))}</div></div>`
    : html`<pre class="file">${text}</pre>`;
  return html`<h1 class="mono">${path} <small>at ${ref}</small></h1>
    ${body}`;
}
