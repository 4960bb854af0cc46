import { DefaultArtifactClient } from "@actions/artifact";
import * as core from "@actions/core";
import { commonFolder, findFiles } from "./find.ts";

async function upload(): Promise<void> {
  if (!core.getBooleanInput("archive")) throw new Error("`archive: false` is not supported in the sandbox");
  const name = core.getInput("name");
  const patterns = core.getMultilineInput("path", { required: true });
  const workspace = process.env["GITHUB_WORKSPACE"] ?? "";
  const { files, roots } = findFiles(workspace, patterns, core.getBooleanInput("include-hidden-files"));
  if (files.length === 0) {
    const message = `No files were found with the provided path: ${patterns.join(" ")}. No artifacts will be uploaded.`;
    const mode = core.getInput("if-no-files-found");
    if (mode === "error") core.setFailed(message);
    else if (mode === "ignore") core.info(message);
    else core.warning(message);
    return;
  }
  const client = new DefaultArtifactClient();
  if (core.getBooleanInput("overwrite")) await client.deleteArtifact(name).catch(() => undefined);
  const days = Number(core.getInput("retention-days"));
  const uploaded = await client.uploadArtifact(name, files, commonFolder(roots), {
    compressionLevel: Number(core.getInput("compression-level")),
    ...(days > 0 ? { retentionDays: days } : {}),
  });
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = process.env;
  core.setOutput("artifact-id", uploaded.id);
  core.setOutput("artifact-digest", uploaded.digest);
  core.setOutput("artifact-url", `${server}/${repository}/actions/runs/${run}/artifacts/${uploaded.id}`);
}

try {
  await upload();
} catch (error) {
  core.setFailed(error instanceof Error ? error.message : String(error));
}
