/** Section -> name -> value. */
export type Ini = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** Reads DVC's configuration, which is INI; a section is `cache`, or `remote "name"`. What is no setting is passed over. */
export function readIni(text: string): Ini {
  const sections = new Map<string, Record<string, string>>();
  let section: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const head = /^\s*\[(.+)\]\s*$/.exec(line);
    if (head !== null) {
      const name = unquoted(head[1]!.trim());
      section = sections.get(name) ?? {};
      sections.set(name, section);
    }
    const pair = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (pair !== null) section[pair[1]!] = unquoted(pair[2]!);
  }
  return sections;
}

/** Without its quotes, or the comment after it. */
function unquoted(text: string): string {
  const quoted = /^(['"])(.*)\1\s*(?:#.*)?$/.exec(text);
  return quoted === null ? text.replace(/\s#.*$/, "") : quoted[2]!;
}
