/** `owner/name` from the URL of a remote, whichever way it is written. */
export function repositoryOf(url: string): string | undefined {
  const match = /[/:]([^/:]+)\/([^/]+?)(?:\.git)?\/?$/.exec(url);
  return match === null ? undefined : `${match[1]}/${match[2]}`;
}
