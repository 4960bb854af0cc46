import * as core from "@actions/core";
import { dirname } from "node:path";
import { useInstalled } from "../version.ts";

// The Node that runs this action is the one that later steps get.
core.addPath(dirname(process.execPath));
useInstalled("node", [process.execPath]);
