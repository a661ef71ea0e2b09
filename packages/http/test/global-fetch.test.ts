import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession } from "@meanwhile/http";

describe("ClientSession beside the global fetch", () => {
  it("leaves the connections of fetch as they are", async () => {
    // No server here: its node:http would already have loaded the fetch of Node, which puts its own there.
    await using session = new ClientSession();
    assert.equal(session.statistics().inUse, 0);
    // Where undici's entry puts its dispatcher, for Node's fetch to use.
    for (const version of [1, 2]) {
      assert.equal(Reflect.get(globalThis, Symbol.for(`undici.globalDispatcher.${version}`)), undefined);
    }
  });
});
