import type { Result } from "../../core/index.ts";
import type { Driver } from "../driver.ts";

/** A driver that is loaded by its first request; what hinders that is the answer to this and every later request. */
export function lazyDriver(url: string, load: () => Promise<Result<Driver>>): Driver {
  let loading: Promise<Result<Driver>> | undefined;
  const use = async <T>(work: (driver: Driver) => Promise<Result<T>>): Promise<Result<T>> => {
    const driver = await (loading ??= load());
    return driver.ok ? work(driver.value) : driver;
  };
  return {
    url,
    width: 8,
    stat: async (key) => use(async (driver) => driver.stat(key)),
    get: async (key, sink, range) => use(async (driver) => driver.get(key, sink, range)),
    put: async (key, body, options) => use(async (driver) => driver.put(key, body, options)),
    delete: async (key) => use(async (driver) => driver.delete(key)),
    async *list(kind) {
      const driver = await (loading ??= load());
      if (!driver.ok) throw new Error(`${url} cannot be listed`, { cause: driver.failures });
      yield* driver.value.list(kind);
    },
  };
}
