import * as core from "@actions/core";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { forgetCredentials } from "./credentials.ts";

const folder = resolve(process.env["GITHUB_WORKSPACE"] ?? "", core.getInput("path") || ".");
if (existsSync(join(folder, ".git"))) await forgetCredentials(folder);
