import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/sandbox/index.ts";
import { openApiObserver } from "../helpers/openapi.ts";

/** What the observer says of one exchange. */
function judge(exchange: Partial<Exchange> & Pick<Exchange, "method" | "path">): readonly string[] {
  const openapi = openApiObserver();
  openapi.observer({
    query: {},
    requestBody: undefined,
    status: 204,
    responseHeaders: {},
    responseBody: undefined,
    ...exchange,
  });
  expect(openapi.requests()).toBe(1);
  return openapi.violations();
}

const label = {
  id: 1,
  node_id: "x",
  url: "http://a.example/1",
  name: "n",
  description: null,
  color: "f",
  default: false,
};
const labels = { method: "GET", path: "/repos/a/b/labels", status: 200 } as const;

describe("the observer that holds exchanges to GitHub's description", () => {
  it("has nothing to say of a good one", () => {
    expect(judge({ ...labels, responseBody: [label] })).toEqual([]);
  });

  it("tells of a route GitHub does not have", () => {
    expect(judge({ method: "GET", path: "/repos/a/b/experiments" })).toEqual([
      "GET /repos/a/b/experiments: GitHub's description has no such route",
    ]);
    expect(judge({ method: "PUT", path: "/repos/a/b/labels" })).toHaveLength(1);
  });

  it("tells of unknown, wrong and missing parameters", () => {
    expect(judge({ ...labels, responseBody: [], query: { perpage: "3" } })).toEqual([
      "GET /repos/a/b/labels: unknown query parameter perpage",
    ]);
    expect(judge({ ...labels, responseBody: [], query: { per_page: "many" } })[0]).toContain("per_page");
    expect(judge({ ...labels, responseBody: [], query: { per_page: "3" } })).toEqual([]);
    const path = "/repos/a/b/pulls/first";
    expect(judge({ method: "GET", path, status: 404, responseBody: { message: "Not Found" } })[0]).toContain(
      "pull_number",
    );
    const upload = { method: "POST", path: "/repos/a/b/releases/1/assets", status: 422 } as const;
    expect(judge({ ...upload, responseBody: { message: "m", documentation_url: "d" } })[0]).toContain(
      "name is missing",
    );
  });

  it("tells of a misspelt field, at any depth, and of a missing one", () => {
    const create = { method: "POST", path: "/repos/a/b/check-runs", status: 422 } as const;
    const responseBody = { message: "m", documentation_url: "d" };
    const base = { name: "n", head_sha: "s" };
    expect(judge({ ...create, responseBody, requestBody: base })).toEqual([]);
    expect(judge({ ...create, responseBody, requestBody: { ...base, headsha: "s" } })[0]).toContain("(headsha)");
    const output = { title: "t", summary: "s", sumary: "s" };
    expect(judge({ ...create, responseBody, requestBody: { ...base, output } })[0]).toContain("(sumary)");
    expect(judge({ ...create, responseBody, requestBody: { name: "n" } })[0]).toContain("head_sha");
  });

  it("leaves free what GitHub leaves free", () => {
    const path = "/repos/a/b/dispatches";
    const requestBody = { event_type: "x", client_payload: { anything: { at: ["all"] } } };
    expect(judge({ method: "POST", path, requestBody })).toEqual([]);
  });

  it("tells of an answer that is not as described", () => {
    expect(judge({ ...labels, responseBody: [{ ...label, color: 3 }] })).toEqual([
      "GET /repos/a/b/labels: response 200: /0/color must be string",
    ]);
    expect(judge({ ...labels, status: 206, responseBody: [] })[0]).toContain("status 206");
    expect(judge({ ...labels, status: 500, responseBody: { message: "Server Error: at x" } })[0]).toContain("at x");
    const path = "/repos/a/b/issues/comments/1";
    expect(judge({ method: "DELETE", path, responseBody: {} })[0]).toContain("no body");
  });

  it("takes null only where the description allows it", () => {
    expect(judge({ ...labels, responseBody: [{ ...label, name: null }] })[0]).toContain("/0/name");
  });
});
