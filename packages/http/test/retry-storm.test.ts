import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { storm } from "./retry-storm.ts";

describe("a storm of clients on a server that fails everything (C16)", () => {
  it("adds no more than a tenth to its load", async () => {
    const { asked, extra, failed, inUse } = await storm({ clients: 100, sessions: 1, requests: 4, failure: "status" });
    assert.deepEqual({ asked, failed, inUse }, { asked: 400, failed: 400, inUse: 0 });
    assert.ok(extra > 0 && extra <= 40, `${extra} more`);
  });
});
