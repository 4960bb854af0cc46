import { registerHooks } from "node:module";
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** A module of the repository that the stage's key does not know. */
export class UndeclaredModule extends Error {
  readonly path: string;

  constructor(path: string) {
    super(`${path} is loaded, and the stage's key does not know of it`);
    this.path = path;
  }
}

/**
 * Refuses modules of the repository that are not in `deps`: what `import()` computed, and what CommonJS requires. A
 * result that depends on them would be taken for the result of other code.
 */
export function guardModules(root: string, deps: readonly string[]): Disposable {
  const hooks = registerHooks({
    load(url, context, next) {
      if (url.startsWith("file:")) {
        const path = relative(root, fileURLToPath(url)).split(sep).join("/");
        const known =
          path.startsWith("../") ||
          path.split("/").includes("node_modules") ||
          deps.some((dep) => path === dep || path.startsWith(`${dep}/`));
        if (!known) throw new UndeclaredModule(path);
      }
      return next(url, context);
    },
  });
  return { [Symbol.dispose]: () => hooks.deregister() };
}
