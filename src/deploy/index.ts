export { buildBase } from "./base.ts";
export { findEngine } from "./engine.ts";
export type { Credentials, Engine } from "./engine.ts";
export { buildImage, DEFAULT_BASE_IMAGE, imageTag, pushImage } from "./image.ts";
export type { ImageOptions, PushedImage } from "./image.ts";
export { deploy } from "./deploy.ts";
export type { Deployed, DeployOptions } from "./deploy.ts";
export { stopAllDeployments, stopDeployment } from "./stop.ts";
export type { StopOptions } from "./stop.ts";
