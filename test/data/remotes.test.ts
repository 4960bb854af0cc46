import { describe, test } from "vitest";
import { ReleaseRig } from "../store/drivers/release-rig.ts";
import { temporary } from "../git/repository.ts";
import { remoteStory } from "./remote-story.ts";

describe("the commands on a remote", () => {
  test("file:", { timeout: 120_000 }, async () => {
    using folder = temporary();
    await remoteStory({ url: `file://${folder.path}/store`, env: {} });
  });

  test("release: on the sandbox, in a private repository", { timeout: 120_000 }, async () => {
    await using rig = await ReleaseRig.start({ private: true });
    const env = { GITHUB_TOKEN: rig.rig.sandbox.token("ada"), GITHUB_API_URL: rig.rig.sandbox.apiUrl };
    await remoteStory({ url: rig.next().url, env });
  });
});
