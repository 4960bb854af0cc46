import { test } from "vitest";
import { temporary } from "../git/repository.ts";
import { remoteStory } from "./remote-story.ts";

test("the commands on a remote that is a folder", { timeout: 120_000 }, async () => {
  using folder = temporary();
  await remoteStory({ url: `file://${folder.path}/store`, env: {} });
});
