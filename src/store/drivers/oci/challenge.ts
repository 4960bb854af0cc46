/** One way to authenticate that a server offers in `WWW-Authenticate`. Scheme and names are in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = "[A-Za-z0-9!#$%&'*+.^_`|~-]+";
const PARAMETER = new RegExp(`^[\\s,]*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]+))`);
const SCHEME = new RegExp(`^[\\s,]*(${TOKEN})(?=\\s|,|$)`);

/** The challenges of a header, in order (RFC 9110, 11.6.1: several may share one header). What cannot be read ends it. */
export function parseChallenges(header: string): Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = [];
  for (let rest = header; rest !== "";) {
    const parameter = PARAMETER.exec(rest);
    const current = found.at(-1);
    if (parameter !== null && current !== undefined) {
      const [, name = "", quoted, plain = ""] = parameter;
      current.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, "$1") ?? plain;
    }
    const scheme = parameter === null ? SCHEME.exec(rest) : null;
    if (scheme !== null) found.push({ scheme: (scheme[1] ?? "").toLowerCase(), parameters: {} });
    const read = (parameter ?? scheme)?.[0].length ?? 0;
    if (read === 0) break;
    rest = rest.slice(read);
  }
  return found;
}
