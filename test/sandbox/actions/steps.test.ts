import { expect, test } from "vitest";
import { jobNamed, logOf, Rig } from "./rig.ts";

test("a step's output, environment, path and summary reach those after it", async () => {
  await using rig = await Rig.start({ variables: { GREETING: "hello" } });
  const run = await rig.run(`
env: {LEVEL: workflow, ONLY: top}
jobs:
  one:
    runs-on: ubuntu-latest
    env: {LEVEL: job}
    outputs: {answer: "\${{ steps.first.outputs.answer }}"}
    steps:
      - id: first
        env: {LEVEL: step}
        run: |
          echo "level $LEVEL $ONLY"
          echo "answer=42" >> "$GITHUB_OUTPUT"
          echo "text<<END" >> "$GITHUB_OUTPUT"
          printf 'a\\nb\\n' >> "$GITHUB_OUTPUT"
          echo "END" >> "$GITHUB_OUTPUT"
          echo "LATER=from file" >> "$GITHUB_ENV"
          mkdir -p "$RUNNER_TEMP/bin"; printf '#!/bin/sh\\necho found it\\n' > "$RUNNER_TEMP/bin/tool"; chmod +x "$RUNNER_TEMP/bin/tool"
          echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"
          echo "# Summary" >> "$GITHUB_STEP_SUMMARY"
      - run: |
          tool
          echo 'level job; \${{ steps.first.outputs.answer }}; \${{ toJSON(steps.first.outputs.text) }}; \${{ vars.GREETING }}; \${{ env.LATER }}'
          echo "$LATER as well"
          cat <<END
          \${{ github.event_name }} is not indented
          END
  two:
    needs: one
    runs-on: [self-hosted, gpu]
    steps:
      - run: echo "got \${{ needs.one.outputs.answer }} \${{ needs.one.result }}"
`);
  const one = jobNamed(run, "one");
  const log = logOf(one);
  expect(run.conclusion, log).toBe("success");
  expect(log).toContain("level step top");
  expect(log).toContain("found it");
  expect(log).toContain('\nlevel job; 42; "a\\nb"; hello; from file\nfrom file as well\npush is not indented\n');
  expect(one.steps[1]?.summary).toContain("# Summary");
  expect(one.outputs).toEqual({ answer: "42" });
  expect(logOf(jobNamed(run, "two"))).toContain("got 42 success");
});
