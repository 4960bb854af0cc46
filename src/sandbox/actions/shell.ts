import { fail, ok, type Result } from "../../core/index.ts";

/** How a script is run: what its file is called at the end, and the program with `{0}` for that file. */
export interface Shell {
  readonly extension: string;
  readonly command: readonly string[];
}

const BUILT_IN: Readonly<Record<string, Shell>> = {
  bash: { extension: ".sh", command: ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "{0}"] },
  sh: { extension: ".sh", command: ["sh", "-e", "{0}"] },
  python: { extension: ".py", command: ["python", "{0}"] },
  pwsh: { extension: ".ps1", command: ["pwsh", "-command", ". '{0}'"] },
};

/** What a step without `shell:` gets. Not the same as `shell: bash`: a failing command in a pipe goes unnoticed. */
const UNSPECIFIED: Shell = { extension: ".sh", command: ["bash", "-e", "{0}"] };

/** Splits a custom shell's template at spaces; quotes keep a part together. */
const split = (template: string): string[] =>
  (template.match(/"[^"]*"|'[^']*'|\S+/gu) ?? []).map((part) => part.replace(/^(["'])(.*)\1$/u, "$2"));

export function shellFor(name: string | undefined): Result<Shell> {
  if (name === undefined || name === "") return ok(UNSPECIFIED);
  const known = BUILT_IN[name];
  if (known !== undefined) return ok(known);
  if (name.includes("{0}")) return ok({ extension: "", command: split(name) });
  return fail({
    code: "usage",
    message: `\`${name}\` is no shell: write bash, sh, python, pwsh, or a command with {0} in it`,
  });
}
