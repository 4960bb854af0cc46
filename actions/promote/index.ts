import { z } from "zod";
import { failedIfAny, ok } from "../../src/core/index.ts";
import type { Failure } from "../../src/core/index.ts";
import { promote } from "../../src/registry/index.ts";
import { names, secret, text } from "../lib/inputs.ts";
import { start } from "../lib/start.ts";

/** `before` is there for a push; a run by hand has none, and the gates count as they now are. */
const event = z.object({ before: z.string().optional(), repository: z.object({ default_branch: z.string() }) });

await start(async (action) => {
  const inputs = action.inputs({ models: names, "github-token": secret, "bot-login": text });
  if (!inputs.ok) return inputs;
  const payload = action.event(event);
  if (!payload.ok) return payload;
  const token = inputs.value["github-token"];
  const forGit = await action.withGit(token);
  if (!forGit.ok) return forGit;
  const { before } = payload.value;
  const { models } = inputs.value;

  const promotions = await promote(action.context, action.github(token, inputs.value["bot-login"]), {
    ...action.defaults,
    branch: payload.value.repository.default_branch,
    commit: action.sha,
    provenance: action.provenance(true),
    runUrl: action.runUrl,
    forGit: forGit.value,
    ...(models === undefined ? {} : { models }),
    ...(action.eventName !== "push" || before === undefined ? {} : { before }),
  });
  if (!promotions.ok) return promotions;
  const [first] = promotions.value;
  action.output("promoted", String(promotions.value.some(({ outcome }) => /^(promoted|restored)$/.test(outcome))));
  action.output("version", String(first?.production?.version ?? ""));
  action.output("digest", first?.production?.digest ?? "");
  action.output("promotions", JSON.stringify(promotions.value));
  for (const { model, outcome, version, reasons } of promotions.value) {
    const said = [outcome, ...(version === null ? [] : [`version ${version}`]), ...reasons].join("; ");
    action.context.emit({ type: outcome === "held" ? "warning" : "note", message: `${model}: ${said}` });
  }
  const refused = promotions.value.filter(({ outcome }) => outcome === "refused");
  return (
    failedIfAny(refused.map(({ model, reasons }): Failure => ({ code: "gate-failed", model, gates: reasons }))) ?? ok()
  );
});
