import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession } from "@meanwhile/http";

import { serve } from "./servers.ts";

describe("keepAlive: false", () => {
  it("takes a connection for each request, and closes it behind it", async () => {
    await using server = await serve((_request, response) => response.end("body"));
    await using session = new ClientSession();
    for (let call = 0; call < 3; call++) {
      assert.equal(await (await session.get(server.url, { keepAlive: false })).text(), "body");
      await server.allClosed();
    }
    assert.equal(server.sockets.length, 3);
    assert.deepEqual([session.statistics().inUse, session.statistics().idle], [0, 0]);
    await (await session.get(server.url)).text();
    assert.equal(session.statistics().idle, 1);
    await (await session.get(server.url, { keepAlive: false })).text();
    assert.equal(server.sockets.length, 5); // not over the one that was kept
  });
});

describe("allowCrossOriginBody", () => {
  it("lets a redirect take a body to another origin, without what proves who asks", async () => {
    const seen: unknown[] = [];
    await using other = await serve((request, response, body) => {
      seen.push([request.method, body, request.headers.authorization]);
      response.end();
    });
    await using server = await serve((_request, response) => {
      response.writeHead(307, { location: other.url }).end();
    });
    await using session = new ClientSession({ headers: { authorization: "Bearer canary" } });
    const options = { body: "data" };
    await assert.rejects(session.post(server.url, options), { code: "MW_ERR_HTTP_REDIRECT_REFUSED" });
    await session.post(server.url, { ...options, allowCrossOriginBody: true });
    assert.deepEqual(seen, [["POST", "data", undefined]]);
  });
});
