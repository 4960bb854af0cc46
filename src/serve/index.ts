export type { ServedModel, Signature } from "./model.ts";
export { fetchModel, packageManifest, readPackage, writePackage } from "./package.ts";
export type { PackageManifest, PackageSource } from "./package.ts";
export { serverProgram } from "./program.ts";
export { resolveModel } from "./reference.ts";
export type { ResolvedModel } from "./reference.ts";
export { startServer } from "./server.ts";
export type { RunningServer, ServerOptions } from "./server.ts";
