import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import type { Place } from "./place.ts";

/** What the figures depend on beside the programs. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  /** Of the instructions that hashing is fast with, those that this processor has. */
  readonly flags: readonly string[];
  /** Bytes. */
  readonly memory: number;
  readonly kernel: string;
  readonly fileSystem: string;
  /** Of the last minute, before the first run. */
  readonly load: number;
}

const FLAGS = ["sha_ni", "aes", "avx2", "avx512f"];

export function machineOf(place: Place): Machine {
  const [info] = cpus();
  const has = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.split(" ") ?? [];
  return {
    cores: availableParallelism(),
    cpu: info?.model ?? "?",
    flags: FLAGS.filter((flag) => has.includes(flag)),
    memory: totalmem(),
    kernel: release(),
    fileSystem:
      place
        .run(place.command(place.folder, ["df", "--output=fstype", "."]))
        .trim()
        .split("\n")
        .at(-1) ?? "?",
    load: loadavg()[0] ?? 0,
  };
}
