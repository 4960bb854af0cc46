import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fromBufferPromise } from "yauzl";
import { startSandbox } from "../../src/sandbox/index.ts";
import { OWNER } from "../demo/stage.ts";

/** An example whose first pull request has been played in a sandbox. */
export interface Example extends AsyncDisposable {
  /** Address of the conversation with the comment. */
  readonly comment: string;
  /** Address of the issue that was opened next. */
  readonly issue: string;
  /** The page that the report's job left behind. */
  readonly page: () => Promise<string>;
}

export async function openExample(name: string, dir: string): Promise<Example> {
  const sandbox = await startSandbox({ dir: join(dir, "sandbox") });
  const { url, apiUrl } = sandbox;
  const headers = { authorization: `token ${sandbox.token("bob")}` };
  return {
    comment: `${url}/${OWNER}/${name}/pull/1`,
    issue: `${url}/${OWNER}/${name}/issues/2`,
    page: async () => {
      const api = `${apiUrl}/repos/${OWNER}/${name}/actions/artifacts`;
      const listed = await fetch(`${api}?name=lockstep-report&per_page=100`, { headers });
      const { artifacts } = (await listed.json()) as { artifacts: { id: number }[] };
      const first = artifacts.toSorted((a, b) => a.id - b.id)[0];
      if (first === undefined) throw new Error(`no report was left in ${dir}: play it again`);
      const { headers: moved } = await fetch(`${api}/${first.id}/zip`, { headers, redirect: "manual" });
      // Signed itself: it takes no token.
      const zip = await fetch(moved.get("location") ?? "");
      const archive = await fromBufferPromise(Buffer.from(await zip.arrayBuffer()));
      for await (const entry of archive.eachEntry()) return text(await archive.openReadStreamPromise(entry));
      throw new Error("the archive is empty");
    },
    [Symbol.asyncDispose]: async () => sandbox.close(),
  };
}
