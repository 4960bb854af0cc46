import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Rig, refused, type Octokit } from "./rig.ts";

const repo = { owner: "ada", repo: "digits" };

describe("assets of releases, as GitHub has them", () => {
  let rig: Rig;
  let ada: Octokit;
  let release: { id: number; upload_url: string };
  const binary = { "content-type": "application/octet-stream" };
  const upload = async (name: string, data: string | Uint8Array) =>
    ada.request({ method: "POST", url: release.upload_url, name, data, headers: binary });
  const assets = async () => (await ada.rest.repos.listReleaseAssets({ ...repo, release_id: release.id })).data;
  const open = async (tag: string) => (await ada.rest.repos.createRelease({ ...repo, tag_name: tag })).data;

  beforeAll(async () => {
    rig = await Rig.start();
    ada = rig.octokit("ada");
    await rig.push("main", { "a.txt": "a\n" });
    release = await open("v1");
  });
  afterAll(async () => rig[Symbol.asyncDispose]());
  afterEach(() => expect(rig.openapi.violations()).toEqual([]));

  it("an upload that is cut leaves a starter, whose name is taken and whose bytes are not there", async () => {
    const { port, pathname } = new URL(release.upload_url.replace(/\{.*/, ""));
    const lines = [
      `POST ${pathname}?name=half.bin HTTP/1.1`,
      "host: 127.0.0.1",
      `authorization: token ${rig.sandbox.token("ada")}`,
      "content-type: application/octet-stream",
      "content-length: 5000",
    ];
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(`${lines.join("\r\n")}\r\n\r\n${"x".repeat(1000)}`);
    while ((await assets()).length === 0) await new Promise(setImmediate);
    socket.destroy();
    const [half] = await assets();
    expect(half).toMatchObject({ name: "half.bin", state: "starter", size: 5000, digest: null });
    expect((await refused(upload("half.bin", "x"))).response.data["errors"]).toMatchObject([
      { code: "already_exists", field: "name" },
    ]);
    const options = { ...repo, asset_id: half!.id };
    const bytes = ada.rest.repos.getReleaseAsset({ ...options, headers: { accept: "application/octet-stream" } });
    expect((await refused(bytes)).status).toBe(404);
    await ada.rest.repos.deleteReleaseAsset(options);
    expect((await upload("half.bin", "whole")).data).toMatchObject({ state: "uploaded", size: 5 });
    await ada.rest.repos.deleteReleaseAsset({ ...repo, asset_id: (await assets())[0]!.id });
  });

  it("an asset has a byte at least", async () => {
    expect((await refused(upload("empty", new Uint8Array(0)))).response.data["errors"]).toMatchObject([
      { field: "size", message: "size must be greater than or equal to 1" },
    ]);
  });

  it("a stream without a length is refused, with a status that the description does not know", async () => {
    await using other = await Rig.start();
    const octokit = other.octokit("ada");
    await other.push("main", { "a.txt": "a\n" });
    const { upload_url: url } = (await octokit.rest.repos.createRelease({ ...repo, tag_name: "v1" })).data;
    const data = new Blob(["x"]).stream();
    const sent = octokit.request({ method: "POST", url, name: "x", data, headers: binary });
    expect((await refused(sent)).message).toContain("Bad Content-Length");
    expect(other.openapi.violations()).toHaveLength(1);
  });

  it("the bytes come from storage of another origin, which takes ranges and no token", async () => {
    const { data: asset } = (await upload("large.bin", "0123456789".repeat(1000))) as { data: { id: number } };
    const headers = { authorization: `token ${rig.sandbox.token("ada")}`, accept: "application/octet-stream" };
    const url = `${rig.sandbox.apiUrl}/repos/ada/digits/releases/assets/${asset.id}`;
    const answer = await fetch(url, { headers, redirect: "manual" });
    expect(answer.status).toBe(302);
    const place = answer.headers.get("location") ?? "";
    expect(new URL(place).origin).not.toBe(new URL(url).origin);
    expect((await fetch(place, { headers })).status).toBe(400);
    const range = async (value: string) => fetch(place, { headers: { range: value } });
    const part = await range("bytes=11-14");
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([
      206,
      "bytes 11-14/10000",
      "1234",
    ]);
    expect(await (await range("bytes=9998-")).text()).toBe("89");
    expect((await range("bytes=10000-10001")).status).toBe(416);
    expect((await fetch(place)).status).toBe(200);
    await rig.sandbox.clock.advance(6 * 60_000);
    expect((await fetch(place)).status).toBe(403);
  });

  it("what a client has already is not sent again, and not counted", async () => {
    const url = `${rig.sandbox.apiUrl}/repos/ada/digits/releases/${release.id}/assets`;
    const headers = { authorization: `token ${rig.sandbox.token("ada")}` };
    const get = async (etag: string) => fetch(url, { headers: { ...headers, "if-none-match": etag } });
    const first = await get("");
    const etag = first.headers.get("etag") ?? "";
    const again = await get(etag);
    expect([again.status, await again.text()]).toEqual([304, ""]);
    expect(again.headers.get("x-ratelimit-used")).toBe(first.headers.get("x-ratelimit-used"));
    await upload("one-more.bin", "x");
    expect((await get(etag)).status).toBe(200);
  });

  it("an immutable release keeps its assets", async () => {
    const setting = "/repos/{owner}/{repo}/immutable-releases";
    await ada.request(`PUT ${setting}`, repo);
    expect((await ada.request(`GET ${setting}`, repo)).data).toMatchObject({ enabled: true });
    const { data: draft } = await ada.rest.repos.createRelease({ ...repo, tag_name: "frozen", draft: true });
    const before = release;
    release = draft;
    await upload("model.bin", "x");
    const { data } = await ada.rest.repos.updateRelease({ ...repo, release_id: draft.id, draft: false });
    expect(data.immutable).toBe(true);
    const asset_id = data.assets[0]!.id;
    for (const change of [
      upload("late.bin", "x"),
      ada.rest.repos.deleteReleaseAsset({ ...repo, asset_id }),
      ada.rest.repos.updateReleaseAsset({ ...repo, asset_id, name: "y" }),
    ]) {
      expect((await refused(change)).message).toMatch(/immutable release/);
    }
    await ada.request(`DELETE ${setting}`, repo);
    release = before;
    expect((await upload("still.bin", "x")).status).toBe(201);
  });
});
