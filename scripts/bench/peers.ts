import type { Dataset } from "./dataset.ts";
import { Dvc } from "./dvc.ts";
import { GitLfs } from "./git-lfs.ts";
import type { Place } from "./place.ts";
import { Rclone } from "./rclone.ts";
import type { Suite } from "./report.ts";
import type { Side } from "./side.ts";

interface Peer {
  readonly tool: string;
  readonly version: readonly string[];
  readonly suites: readonly Suite[];
  /** How it is installed. */
  readonly how: string;
  /** Where it manages data. */
  readonly side?: new (place: Place, dataset: Dataset, bucket: string) => Side;
}

/** Whom Lockstep is held against. */
export const PEERS: readonly Peer[] = [
  {
    tool: "dvc",
    version: ["dvc", "--version"],
    suites: ["data", "pipeline"],
    how: 'python3 -m venv peers && peers/bin/pip install "dvc[s3]", then --peers peers/bin',
    side: Dvc,
  },
  {
    tool: "git-lfs",
    version: ["git", "lfs", "version"],
    suites: ["data"],
    how: "apt-get install git-lfs",
    side: GitLfs,
  },
  { tool: "rclone", version: ["rclone", "version"], suites: ["data"], how: "apt-get install rclone", side: Rclone },
  {
    tool: "scikit-learn",
    version: ["python3", "-c", "import numpy, sklearn; print(sklearn.__version__)"],
    suites: ["report"],
    how: "python3 -m venv peers && peers/bin/pip install scikit-learn, then --peers peers/bin",
  },
];

/** The sides of the peers for one dataset, each with a bucket of its own. */
export async function peerSides(place: Place, dataset: Dataset, tools: readonly string[]): Promise<Side[]> {
  const sides: Side[] = [];
  for (const { tool, side: Tool } of PEERS) {
    if (Tool !== undefined && tools.includes(tool)) sides.push(new Tool(place, dataset, await place.s3.bucket()));
  }
  return sides;
}
