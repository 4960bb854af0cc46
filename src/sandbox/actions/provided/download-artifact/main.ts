import { DefaultArtifactClient, type FindOptions } from "@actions/artifact";
import * as core from "@actions/core";
import { join, matchesGlob, resolve } from "node:path";

function findOptions(): FindOptions {
  const token = core.getInput("github-token");
  if (token === "") return {};
  const [repositoryOwner = "", repositoryName = ""] = core.getInput("repository").split("/");
  return { findBy: { token, workflowRunId: Number(core.getInput("run-id")), repositoryName, repositoryOwner } };
}

async function download(): Promise<void> {
  const client = new DefaultArtifactClient();
  const options = findOptions();
  const folder = resolve(process.env["GITHUB_WORKSPACE"] ?? "", core.getInput("path") || ".");
  const name = core.getInput("name");
  const pattern = core.getInput("pattern");
  const ids = core
    .getInput("artifact-ids")
    .split(",")
    .map((id) => id.trim())
    .filter((id) => id !== "");
  const { artifacts } = await client.listArtifacts({ latest: true, ...options });
  const chosen = artifacts.filter((artifact) => {
    if (name !== "") return artifact.name === name;
    if (ids.length > 0) return ids.includes(String(artifact.id));
    return pattern === "" || matchesGlob(artifact.name, pattern);
  });
  if (name !== "" && chosen.length === 0)
    throw new Error(`Unable to download artifact(s): Artifact not found for name: ${name}`);
  const single = name !== "" || ids.length === 1 || core.getBooleanInput("merge-multiple");
  for (const artifact of chosen) {
    const path = single ? folder : join(folder, artifact.name);
    const expected = artifact.digest === undefined ? {} : { expectedHash: artifact.digest };
    const { digestMismatch } = await client.downloadArtifact(artifact.id, { path, ...expected, ...options });
    if (digestMismatch === true)
      throw new Error(`the bytes of artifact ${artifact.name} are not those that were uploaded`);
    core.info(`Artifact ${artifact.name} is in ${path}`);
  }
  core.setOutput("download-path", folder);
}

try {
  await download();
} catch (error) {
  core.setFailed(error instanceof Error ? error.message : String(error));
}
