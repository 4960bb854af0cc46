/**
 * A process of its own that draws one Vega-Lite spec from stdin to stdout, so that what a repository wrote is drawn
 * where there are no secrets, nothing can be written, and it can be ended. Its exit code is 1 where it cannot.
 */
import { text } from "node:stream/consumers";
import type { TopLevelSpec } from "vega-lite";
import { loadVega } from "../../page/vega.ts";

try {
  const draw = await loadVega();
  process.stdout.write(await draw(JSON.parse(await text(process.stdin)) as TopLevelSpec));
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
