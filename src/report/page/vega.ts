import type { Spec as VegaSpec } from "vega";
import type { TopLevelSpec } from "vega-lite";

/** Draws a Vega-Lite spec as SVG text; rejects with what Vega complains of. */
export type Drawer = (spec: TopLevelSpec) => Promise<string>;

const modules = async () => Promise.all([import("vega"), import("vega-lite"), import("vega-interpreter")]);

/** Begins to load what charts are drawn with, for who waits for something else before. */
export function prepareCharts(): void {
  modules().catch(() => {}); // whoever draws is told
}

/**
 * Loads Vega, which takes a while, so it is loaded only where there is something to draw. Expressions are interpreted,
 * not compiled to code; every address is refused.
 */
export async function loadVega(): Promise<Drawer> {
  const [vega, { compile }, { expressionInterpreter }] = await modules();
  const refuse = async (): Promise<never> => Promise.reject(new Error("a chart loads nothing"));
  const loader = { options: {}, load: refuse, sanitize: refuse, http: refuse, file: refuse };
  return async (spec) => {
    const problems: string[] = [];
    const logger = {
      level: (): never => logger as never,
      error: (...said: unknown[]): never => {
        problems.push(said.map(String).join(" "));
        return logger as never;
      },
      warn: (): never => logger as never,
      info: (): never => logger as never,
      debug: (): never => logger as never,
    };
    const runtime = vega.parse(compile(spec, { logger }).spec as VegaSpec, undefined, { ast: true });
    const view = new vega.View(runtime, { expr: expressionInterpreter, renderer: "none", loader, logger });
    try {
      const svg = await view.toSVG();
      if (problems.length > 0) throw new Error(problems[0]);
      return svg;
    } finally {
      view.finalize();
    }
  };
}
