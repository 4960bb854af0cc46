import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "../../src/github/index.ts";
import type { ConnectOptions, GitHub } from "../../src/github/index.ts";

/**
 * GitHub's REST API as far as `src/github` uses it, in memory, for what the sandbox cannot do on demand: failing,
 * losing an answer after the effect, a second writer in between, many pages. It insists on the headers (token, pinned
 * version) and refuses a route that it does not know with 501. Ids count up over all kinds of things, lists come
 * oldest first (checks and releases newest first), pages hold `per_page`, with a `link` header as GitHub sends it.
 */
export class FakeGitHub {
  readonly comments: Thing[] = [];
  readonly issues: Thing[] = [];
  readonly pulls: Thing[] = [];
  readonly checks: Thing[] = [];
  readonly statuses: Thing[] = [];
  readonly releases: Thing[] = [];
  readonly deployments: Thing[] = [];
  readonly artifacts: Thing[] = [];
  /** `METHOD /path` of every request, without query. */
  readonly log: string[] = [];
  /** Who the token belongs to. */
  login = "github-actions[bot]";
  /** Called before a request is handled (`after` false) and after its effect; a number answers with that status. */
  interfere: (request: string, after: boolean) => number | undefined = () => undefined;
  zip = Buffer.from("zip");
  #next = 100;
  #origin = "";
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  static async start(): Promise<FakeGitHub> {
    const fake = new FakeGitHub();
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    fake.#origin = `http://127.0.0.1:${(fake.#server.address() as AddressInfo).port}`;
    return fake;
  }

  get apiUrl(): string {
    return `${this.#origin}/api/v3`;
  }

  connect(options: Partial<ConnectOptions> = {}): GitHub {
    return connect({
      token: "secret",
      apiUrl: this.apiUrl,
      repository: "acme/digits",
      paced: false,
      emit: () => {},
      ...options,
    });
  }

  count(pattern: RegExp): number {
    return this.log.filter((line) => pattern.test(line)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Puts a thing there as if somebody had made it. */
  add(list: Thing[], thing: object): Thing {
    const id = this.#next++;
    const made = { id, html_url: `https://github.test/${id}`, user: { login: this.login, type: "Bot" }, ...thing };
    list.push(made);
    return made;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "/", this.#origin);
    const line = `${request.method} ${url.pathname.replace("/api/v3", "")}`;
    this.log.push(line);
    const answer = (status: number, body?: unknown, headers: Record<string, string> = {}): void => {
      const raw = Buffer.isBuffer(body);
      response.writeHead(status, { "content-type": raw ? "application/zip" : "application/json", ...headers });
      response.end(raw ? body : body === undefined ? "" : JSON.stringify(body));
    };
    if (url.pathname === "/blob") {
      if (request.headers.authorization !== undefined) return answer(400, { message: "the token was sent to storage" });
      return answer(200, this.zip);
    }
    if (request.headers.authorization !== "token secret") return answer(401, { message: "Bad credentials" });
    if (request.headers["x-github-api-version"] !== "2022-11-28") return answer(400, { message: "no API version" });
    const early = this.interfere(line, false);
    if (early !== undefined) return answer(early, { message: `told to answer ${early}` });
    const result = this.#route(line, url, Buffer.concat(chunks));
    const late = this.interfere(line, true);
    if (late !== undefined) return answer(late, { message: `effect done, answer ${late}` });
    if (result === undefined) return answer(501, { message: `the fake does not know ${line}` });
    if (Array.isArray(result.body)) {
      const size = Number(url.searchParams.get("per_page") ?? 30);
      const page = Number(url.searchParams.get("page") ?? 1);
      const slice = result.body.slice((page - 1) * size, page * size);
      const next = new URL(url);
      next.searchParams.set("page", String(page + 1));
      return answer(200, slice, page * size < result.body.length ? { link: `<${next.href}>; rel="next"` } : {});
    }
    return answer(result.status ?? 200, result.body, result.headers);
  }

  #route(line: string, url: URL, bytes: Buffer): Answer | undefined {
    const query = (name: string): string | null => url.searchParams.get(name);
    const raw = line.includes("/assets") && line.startsWith("POST");
    const body = raw || bytes.length === 0 ? {} : (JSON.parse(bytes.toString()) as Thing);
    const repo = "/repos/acme/digits";
    const is = (method: string, pattern: string): number[] | undefined => {
      const match = new RegExp(`^${method} ${repo}${pattern.replaceAll("#", "(\\d+)")}$`).exec(line);
      return match === null ? undefined : match.slice(1).map(Number);
    };
    const byId = (list: Thing[], id: number | undefined): Thing | undefined => list.find((each) => each["id"] === id);
    const notFound: Answer = { status: 404, body: { message: "Not Found" } };
    const patch = (thing: Thing | undefined): Answer =>
      thing === undefined ? notFound : { body: Object.assign(thing, body) };
    const statuses = (id: number | undefined): Thing[] => (byId(this.deployments, id)?.["statuses"] ?? []) as Thing[];
    let ids: number[] | undefined;

    if ((ids = is("GET", "/issues/#/comments"))) return { body: this.comments.filter((c) => c["issue"] === ids?.[0]) };
    if ((ids = is("POST", "/issues/#/comments")))
      return { status: 201, body: this.add(this.comments, { ...body, issue: ids[0] }) };
    if ((ids = is("PATCH", "/issues/comments/#"))) return patch(byId(this.comments, ids[0]));
    if ((ids = is("DELETE", "/issues/comments/#"))) {
      const index = this.comments.findIndex((each) => each["id"] === ids?.[0]);
      return index < 0 ? notFound : (this.comments.splice(index, 1), { status: 204 });
    }
    if (is("GET", "/issues"))
      return {
        body: this.issues.filter(
          (i) => i["state"] === query("state") && (i["user"] as Thing)["login"] === query("creator"),
        ),
      };
    if (is("POST", "/issues")) {
      const issue = this.add(this.issues, { ...body, state: "open" });
      issue["number"] = issue["id"];
      return { status: 201, body: issue };
    }
    if ((ids = is("PATCH", "/issues/#"))) return patch(byId(this.issues, ids[0]));
    if ((ids = is("POST", "/issues/#/labels"))) {
      const pull = this.pulls.find((each) => each["number"] === ids?.[0]);
      if (pull === undefined) return notFound;
      pull["labels"] = [...(pull["labels"] as Thing[]), ...(body["labels"] as string[]).map((name) => ({ name }))];
      return { body: pull["labels"] };
    }
    if (is("GET", "/pulls")) {
      const branch = query("head")?.split(":")[1];
      return {
        body: this.pulls.filter((p) => p["state"] === query("state") && (p["head"] as Thing)["ref"] === branch),
      };
    }
    if (is("POST", "/pulls")) {
      if (this.pulls.some((p) => p["state"] === "open" && (p["head"] as Thing)["ref"] === body["head"]))
        return {
          status: 422,
          body: { message: "Validation Failed", errors: [{ message: "A pull request already exists" }] },
        };
      const pull = this.add(this.pulls, {
        ...body,
        state: "open",
        labels: [],
        head: { ref: body["head"], sha: "1".repeat(40), repo: { full_name: "acme/digits" } },
        base: { ref: body["base"], sha: "2".repeat(40) },
      });
      pull["number"] = pull["id"];
      return { status: 201, body: pull };
    }
    if ((ids = is("PATCH", "/pulls/#"))) return patch(this.pulls.find((each) => each["number"] === ids?.[0]));
    if (/^GET .*\/commits\/[0-9a-f]+\/pulls$/.test(line)) return { body: this.pulls };
    if (/^GET .*\/commits\/[0-9a-f]+\/check-runs$/.test(line)) {
      const found = this.checks.filter((c) => c["name"] === query("check_name"));
      return { body: { total_count: found.length, check_runs: found.toReversed() } };
    }
    if (is("POST", "/check-runs")) return { status: 201, body: this.add(this.checks, body) };
    if ((ids = is("PATCH", "/check-runs/#"))) {
      const check = byId(this.checks, ids[0]);
      const before = ((check?.["output"] as Thing)?.["annotations"] as unknown[]) ?? [];
      const result = patch(check);
      const output = (result.body as Thing)["output"] as Thing;
      if (output !== undefined) output["annotations"] = [...before, ...((output["annotations"] as unknown[]) ?? [])];
      return result;
    }
    if (/^POST .*\/statuses\/[0-9a-f]+$/.test(line)) return { status: 201, body: this.add(this.statuses, body) };
    if (/^GET .*\/releases\/tags\//.test(line)) {
      const tag = decodeURIComponent(line.split("/releases/tags/")[1] ?? "");
      const found = this.releases.find((r) => r["tag_name"] === tag && r["draft"] === false);
      return found === undefined ? notFound : { body: found };
    }
    if (is("GET", "/releases")) return { body: this.releases.toReversed() };
    if (is("POST", "/releases")) {
      const release = this.add(this.releases, { ...body, assets: [] });
      release["upload_url"] = `${this.apiUrl}${repo}/releases/${String(release["id"])}/assets{?name,label}`;
      return { status: 201, body: release };
    }
    if ((ids = is("PATCH", "/releases/#"))) return patch(byId(this.releases, ids[0]));
    if ((ids = is("GET", "/releases/#/assets"))) return { body: byId(this.releases, ids[0])?.["assets"] };
    if ((ids = is("POST", "/releases/#/assets"))) {
      const release = byId(this.releases, ids[0]);
      const assets = release?.["assets"] as Thing[];
      if (release?.["draft"] === false)
        return { status: 422, body: { message: "Cannot upload assets to an immutable release." } };
      if (assets.some((asset) => asset["name"] === query("name")))
        return { status: 422, body: { message: "Validation Failed", errors: [{ code: "already_exists" }] } };
      const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
      const asset = {
        name: query("name"),
        size: bytes.length,
        state: "uploaded",
        digest,
        browser_download_url: "https://github.test/a",
      };
      return { status: 201, body: this.add(assets, asset) };
    }
    if ((ids = is("DELETE", "/releases/assets/#"))) {
      for (const release of this.releases) {
        const assets = release["assets"] as Thing[];
        const index = assets.findIndex((asset) => asset["id"] === ids?.[0]);
        if (index >= 0) return (assets.splice(index, 1), { status: 204 });
      }
      return notFound;
    }
    if (is("GET", "/deployments")) {
      return {
        body: this.deployments.filter((d) => d["environment"] === query("environment") && d["ref"] === query("sha")),
      };
    }
    if (is("POST", "/deployments")) return { status: 201, body: this.add(this.deployments, { ...body, statuses: [] }) };
    if ((ids = is("GET", "/deployments/#/statuses"))) {
      return { body: statuses(ids[0]).toReversed() };
    }
    if ((ids = is("POST", "/deployments/#/statuses"))) {
      return { status: 201, body: this.add(statuses(ids[0]), body) };
    }
    if (is("GET", "/actions/runs/#/artifacts"))
      return { body: { total_count: this.artifacts.length, artifacts: this.artifacts } };
    if (is("GET", "/actions/artifacts/#/zip"))
      return { status: 302, headers: { location: `${this.#origin}/blob?sig=1` } };
    return undefined;
  }
}

export type Thing = Record<string, unknown>;
interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}
