import util from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { chooseBackend, restoreRemovedUtilities } from "../../pipelines/lib/backend.ts";

describe("choosing a backend", () => {
  it("takes the one that is asked for", async () => {
    expect(await chooseBackend("cpu")).toBe("cpu");
    expect(await chooseBackend("wasm")).toBe("wasm");
  });

  it("takes the fastest that is there when none is asked for", async () => {
    const chosen = await chooseBackend(undefined);
    expect(["tfjs-node-gpu", "tfjs-node", "wasm"]).toContain(chosen);
    expect(await chooseBackend("")).toBe(chosen);
  });

  it("says what there is when one is asked for that is not", async () => {
    await expect(chooseBackend("cuda")).rejects.toThrow(
      /no backend "cuda"; there is tfjs-node-gpu, tfjs-node, wasm, cpu/,
    );
  });
});

describe("functions of util that Node removed", () => {
  const methods = util as unknown as Record<string, ((value: unknown) => boolean) | undefined>;
  const before = methods["isNullOrUndefined"];
  afterEach(() => {
    if (before === undefined) delete methods["isNullOrUndefined"];
    else methods["isNullOrUndefined"] = before;
  });

  it("are put back where they are missing", () => {
    delete methods["isNullOrUndefined"];
    restoreRemovedUtilities();
    expect(methods["isNullOrUndefined"]?.(null)).toBe(true);
    expect(methods["isNullOrUndefined"]?.(0)).toBe(false);
    expect(methods["isArray"]?.([])).toBe(true);
    expect(methods["isNumber"]?.("1")).toBe(false);
  });

  it("are left alone where they are not", () => {
    const own = (): boolean => true;
    methods["isNullOrUndefined"] = own;
    restoreRemovedUtilities();
    expect(methods["isNullOrUndefined"]).toBe(own);
  });
});
