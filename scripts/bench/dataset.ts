import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileName, writeLarge, writeMany } from "./generate.ts";

/** What is added, pushed and pulled. */
export interface Dataset {
  readonly name: string;
  /** Its path in a repository: a file or a folder. */
  readonly target: string;
  readonly files: number;
  /** Bytes of all files together. */
  readonly bytes: number;
  /** One of its files, as a path in a repository. */
  readonly sample: string;
  /** Sees to it that it stands in the repository. */
  place(repository: string): void;
  /** Says that a repository's copy may be damaged: somebody was killed while it worked on it. */
  discard(repository: string): void;
}

/** 100,000 files of 3 KB in 100 folders. Every repository has its own: the index of each tool knows its inodes. */
export function small(scale: number): Dataset {
  const many = { files: Math.ceil(100_000 * scale), folders: Math.ceil(100 * scale), bytes: 3000 };
  return {
    name: "small",
    target: "data",
    files: many.files,
    bytes: many.files * many.bytes,
    sample: join("data", fileName(many, Math.floor(many.files / 2))),
    place(repository) {
      if (!existsSync(join(repository, "data"))) writeMany(join(repository, "data"), many);
    },
    discard: (repository) => remove(join(repository, "data")),
  };
}

/** One file of 5 GB. There is one, which wanders from repository to repository: four would not fit on many disks. */
export function large(scale: number): Dataset {
  const bytes = Math.ceil(5e9 * scale);
  return wandering({ name: "large", target: "large.bin", files: 1, bytes, sample: "large.bin" }, (path) =>
    writeLarge(path, bytes),
  );
}

/** 1,000,000 files of 100 bytes in 1,000 folders, which wander too. */
export function tiny(scale: number): Dataset {
  const many = { files: Math.ceil(1_000_000 * scale), folders: Math.ceil(1000 * scale), bytes: 100 };
  return wandering(
    {
      name: "tiny",
      target: "data",
      files: many.files,
      bytes: many.files * many.bytes,
      sample: join("data", fileName(many, 0)),
    },
    (path) => writeMany(path, many),
  );
}

function wandering(dataset: Omit<Dataset, "place" | "discard">, write: (path: string) => void): Dataset {
  let home: string | undefined;
  return {
    ...dataset,
    place(repository) {
      const path = join(repository, dataset.target);
      if (home === path && existsSync(path)) return;
      mkdirSync(repository, { recursive: true });
      if (home === undefined || !existsSync(home)) write(path);
      else renameSync(home, path);
      home = path;
    },
    discard(repository) {
      remove(join(repository, dataset.target));
    },
  };
}

function remove(path: string): void {
  execFileSync("rm", ["-rf", "--", path]);
}
