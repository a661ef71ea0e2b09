import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession } from "@meanwhile/http";

import { serve } from "./servers.ts";

describe("ClientSession beside the global fetch", () => {
  it("leaves the connections of fetch as they are", async () => {
    await using server = await serve((_request, response) => response.end());
    await using session = new ClientSession();
    await (await session.get(server.url)).text();
    // Where undici's entry puts its own dispatcher, for Node's fetch to use. Node puts one there when fetch is used.
    for (const version of [1, 2]) {
      assert.equal(Reflect.get(globalThis, Symbol.for(`undici.globalDispatcher.${version}`)), undefined);
    }
  });
});
