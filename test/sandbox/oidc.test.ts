import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ID_TOKEN_PATH } from "../../src/sandbox/oidc.ts";
import { Rig } from "./rig.ts";

describe("identity tokens", () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await Rig.start();
  });
  afterAll(async () => rig[Symbol.asyncDispose]());

  const ask = async (token: string, audience: string): Promise<Response> =>
    fetch(`${rig.sandbox.url}${ID_TOKEN_PATH}&audience=${audience}`, { headers: { authorization: `Bearer ${token}` } });

  it("say which repository and ref a job runs for, to whoever verifies them", async () => {
    const answer = await ask(rig.jobToken({ "id-token": "write" }), "sts.example.com");
    const { value } = (await answer.json()) as { value: string };
    const discovery = await fetch(`${rig.sandbox.url}/.well-known/openid-configuration`);
    const { issuer, jwks_uri: keys } = (await discovery.json()) as { issuer: string; jwks_uri: string };
    const verified = await jwtVerify(value, createRemoteJWKSet(new URL(keys)), { issuer, audience: "sts.example.com" });
    expect(verified.payload).toMatchObject({
      sub: "repo:ada/digits:ref:refs/heads/main",
      repository: "ada/digits",
      repository_owner: "ada",
      run_id: "1",
      runner_environment: "self-hosted",
    });
    const other = jwtVerify(value, createRemoteJWKSet(new URL(keys)), { issuer, audience: "someone.else" });
    await expect(other).rejects.toThrow("aud");
  });

  it("are for jobs with the right only", async () => {
    const refused = await ask(rig.jobToken({ contents: "write" }), "x");
    expect([refused.status, await refused.json()]).toEqual([
      403,
      expect.objectContaining({ message: "Resource not accessible by integration" }),
    ]);
    expect((await ask(rig.sandbox.token("ada"), "x")).status).toBe(401);
  });
});
