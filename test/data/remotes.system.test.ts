import { spawnSync } from "node:child_process";
import { describe, test } from "vitest";
import { missing, Registry } from "../store/drivers/oci-registry.ts";
import { ReleaseRig } from "../store/drivers/release-rig.ts";
import { S3_PROGRAM, startS3 } from "../store/drivers/s3-server.ts";
import { remoteStory } from "./remote-story.ts";

const noS3 = spawnSync(S3_PROGRAM, ["--version"]).error !== undefined;
if (missing.length > 0) console.log(`skipped: the commands on an OCI registry need ${missing.join(", ")}`);
if (noS3) console.log(`skipped: the commands on S3 need ${S3_PROGRAM}`);

describe("the commands on a real remote", () => {
  test("release: on the sandbox, in a private repository", { timeout: 240_000 }, async () => {
    await using rig = await ReleaseRig.start({ private: true });
    const env = { GITHUB_TOKEN: rig.rig.sandbox.token("ada"), GITHUB_API_URL: rig.rig.sandbox.apiUrl };
    await remoteStory({ url: rig.next().url, env });
  });

  test.skipIf(missing.length > 0)("oci: a registry", { timeout: 240_000 }, async () => {
    await using registry = await Registry.start();
    await remoteStory({ url: `oci://${registry.host}/team/data`, env: {} });
  });

  test.skipIf(noS3)("s3: a server", { timeout: 240_000 }, async () => {
    await using s3 = await startS3();
    const url = `s3://${await s3.bucket()}/team?endpoint=${encodeURIComponent(s3.endpoint)}&path-style=true&region=${s3.region}`;
    await remoteStory({ url, env: { AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey } });
  });
});
