import util from "node:util";
import * as tf from "@tensorflow/tfjs-core";

/** Fastest first. The native ones are optional packages, found only where somebody installed them. */
const BACKENDS = ["tfjs-node-gpu", "tfjs-node", "wasm", "cpu"] as const;
export type Backend = (typeof BACKENDS)[number];

/**
 * Makes the fastest TensorFlow.js backend there is the current one, or exactly the one that `wanted` names.
 * @throws Error when the wanted one is unknown or does not load.
 */
export async function chooseBackend(wanted: string | undefined): Promise<Backend> {
  const candidates = BACKENDS.filter((name) => wanted === undefined || wanted === "" || name === wanted);
  for (const name of candidates) if (await load(name)) return name;
  throw new Error(
    candidates.length === 0
      ? `there is no backend "${wanted}"; there is ${BACKENDS.join(", ")}`
      : `the backend ${candidates.join(", ")} does not load here`,
  );
}

async function load(name: Backend): Promise<boolean> {
  switch (name) {
    case "tfjs-node-gpu":
    case "tfjs-node":
      return loadNative(name);
    case "wasm": {
      await import("@tensorflow/tfjs-backend-wasm");
      const { registerWasmKernels } = await import("./wasm-kernels.ts");
      const ready = await tf.setBackend("wasm");
      if (ready) registerWasmKernels();
      return ready;
    }
    case "cpu":
      await import("@tensorflow/tfjs-backend-cpu");
      return tf.setBackend("cpu");
  }
}

async function loadNative(name: "tfjs-node-gpu" | "tfjs-node"): Promise<boolean> {
  restoreRemovedUtilities();
  const specifier: string = `@tensorflow/${name}`; // a variable: the package is not there for the type checker
  try {
    await import(specifier);
  } catch (error) {
    if (isNotInstalled(error, specifier)) return false;
    process.stderr.write(`${specifier} is installed but does not load: ${String(error)}\n`);
    return false;
  }
  // It registers with the tfjs-core that it finds, which is another one when the versions differ.
  return tf.findBackendFactory("tensorflow") !== null && (await tf.setBackend("tensorflow"));
}

function isNotInstalled(error: unknown, specifier: string): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === "ERR_MODULE_NOT_FOUND" &&
    error.message.includes(specifier)
  );
}

/** tfjs-node calls functions of `util` that Node 23 removed. Puts back those that are missing. */
export function restoreRemovedUtilities(): void {
  const removed: Record<string, (value: unknown) => boolean> = {
    isArray: Array.isArray,
    isBoolean: (value) => typeof value === "boolean",
    isFunction: (value) => typeof value === "function",
    isNull: (value) => value === null,
    isNullOrUndefined: (value) => value === null || value === undefined,
    isNumber: (value) => typeof value === "number",
    isObject: (value) => typeof value === "object" && value !== null,
    isString: (value) => typeof value === "string",
    isUndefined: (value) => value === undefined,
  };
  for (const [name, test] of Object.entries(removed)) {
    if (!(name in util)) Object.defineProperty(util, name, { value: test, configurable: true, writable: true });
  }
}
