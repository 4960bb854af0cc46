import { afterAll, beforeAll } from "vitest";
import { contract } from "./contract.ts";
import { ApiHost } from "./rigs.ts";

let host: ApiHost;
beforeAll(async () => void (host = await ApiHost.start()));
afterAll(() => host[Symbol.asyncDispose]());

contract("by the API", () => host.rig(), { writers: 3 });
