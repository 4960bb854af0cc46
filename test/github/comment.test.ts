import { describe, expect, it } from "vitest";
import { upsertComment } from "../../src/github/index.ts";
import type { GitHub, UpsertCommentOptions } from "../../src/github/index.ts";
import { value } from "../helpers/value.ts";
import { FakeGitHub } from "./fake.ts";

const write = async (gh: GitHub, options: Partial<UpsertCommentOptions> = {}) =>
  value(
    await upsertComment(gh, { issue: 7, marker: "report", body: "hello", order: { runId: 5, attempt: 1 }, ...options }),
  );

describe("the sticky comment", () => {
  it("is created once, then updated, then left alone", async () => {
    await using fake = await FakeGitHub.start();
    const gh = fake.connect();
    const first = await write(gh);
    expect(first.action).toBe("created");
    expect(fake.comments[0]?.["body"]).toBe("<!-- lockstep:report run=5 attempt=1 -->\nhello");
    expect(await write(gh)).toEqual({ ...first, action: "unchanged" });
    expect(await write(gh, { body: "new", order: { runId: 6, attempt: 1 } })).toEqual({ ...first, action: "updated" });
    expect(fake.comments).toHaveLength(1);
    expect(fake.comments[0]?.["body"]).toContain("new");
  });

  it("is found behind a hundred others, and a copy of its marker by somebody else is not taken for it", async () => {
    await using fake = await FakeGitHub.start();
    const marked = "<!-- lockstep:report run=1 attempt=1 -->\nold";
    fake.add(fake.comments, { issue: 7, body: marked, user: { login: "mallory" } });
    for (let i = 0; i < 120; i++) fake.add(fake.comments, { issue: 7, body: `chat ${i}`, user: { login: "ann" } });
    fake.add(fake.comments, { issue: 7, body: "<!-- lockstep:other run=1 attempt=1 -->" });
    const ours = fake.add(fake.comments, { issue: 7, body: marked });
    expect(await write(fake.connect())).toMatchObject({ id: ours["id"], action: "updated" });
    expect(fake.comments.filter((comment) => comment["body"] === marked)).toHaveLength(1);
  });

  it("keeps what a later run or attempt wrote", async () => {
    await using fake = await FakeGitHub.start();
    const gh = fake.connect();
    await write(gh, { body: "later", order: { runId: 9, attempt: 2 } });
    for (const order of [
      { runId: 8, attempt: 3 },
      { runId: 9, attempt: 1 },
    ]) {
      expect((await write(gh, { body: "earlier", order })).action).toBe("superseded");
    }
    expect(fake.comments[0]?.["body"]).toContain("later");
  });

  it("stays one when two runs create it at once", async () => {
    await using fake = await FakeGitHub.start();
    let other = false;
    // The other run's comment appears between our looking and our creating.
    fake.interfere = (line, after) => {
      if (!line.startsWith("POST") || after || other) return undefined;
      other = true;
      fake.add(fake.comments, { issue: 7, body: "<!-- lockstep:report run=4 attempt=1 -->\nother" });
      return undefined;
    };
    const result = await write(fake.connect());
    expect(result.action).toBe("updated");
    expect(fake.comments).toHaveLength(1);
    expect(fake.comments[0]).toMatchObject({ id: result.id });
    expect(fake.comments[0]?.["body"]).toContain("hello");
  });

  it("stays one when the answer to its creation is lost", async () => {
    await using fake = await FakeGitHub.start();
    let lost = 0;
    fake.interfere = (line, after) => (line.startsWith("POST") && after && lost++ === 0 ? 502 : undefined);
    await write(fake.connect());
    expect(fake.comments).toHaveLength(1);
    expect(fake.count(/^POST/)).toBe(1);
  });

  it("finds its own under the login it learns, when it was told another", async () => {
    await using fake = await FakeGitHub.start();
    fake.login = "lockstep-app[bot]";
    await write(fake.connect());
    const second = await write(fake.connect(), { body: "second", order: { runId: 6, attempt: 1 } });
    expect(second.action).toBe("updated");
    expect(fake.comments).toHaveLength(1);
    expect(fake.comments[0]?.["body"]).toContain("second");
  });

  it("is shortened at the end of a line to what GitHub takes", async () => {
    await using fake = await FakeGitHub.start();
    await write(fake.connect(), { body: "| a row of a table |\n".repeat(5_000) });
    const body = String(fake.comments[0]?.["body"]);
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body).toMatch(/\| a row of a table \|\n\n_Shortened: .*_$/);
  });

  it("is a failure that names the missing right", async () => {
    await using fake = await FakeGitHub.start();
    fake.interfere = () => 403;
    const failed = await upsertComment(fake.connect(), {
      issue: 7,
      marker: "report",
      body: "",
      order: { runId: 1, attempt: 1 },
    });
    expect(failed.ok ? undefined : failed.failures[0]).toMatchObject({
      code: "github",
      status: 403,
      method: "GET",
      hint: expect.stringContaining("permissions") as string,
    });
  });
});
