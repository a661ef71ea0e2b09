import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, it } from "node:test";

import { type AddressRule, ClientSession } from "@meanwhile/http";

import { serve } from "./servers.ts";

/** As if 127.0.0.2 were out in the world. */
const isOutside: AddressRule = (address) => address === "127.0.0.2";

/** A server on 127.0.0.2 that redirects to `location`. */
async function outside(location: () => string) {
  const server = createServer((_request, response) => response.writeHead(302, { location: location() }).end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.2", resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return {
    url: `http://127.0.0.2:${address.port}`,
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("privateRedirects: false (C4)", () => {
  it("does not follow a redirect from a public address to another one, by number or by name", async () => {
    let asked = 0;
    await using inside = await serve((_request, response) => {
      asked += 1;
      response.end("secret");
    });
    let location = inside.url;
    await using server = await outside(() => location);
    await using session = new ClientSession({
      privateRedirects: isOutside,
      dns: { lookup: () => ["127.0.0.1"], resolve: { "known.test": "127.0.0.1" } },
    });
    const refused = { name: "ConnectError", code: "MW_ERR_HTTP_ADDRESS_REFUSED", message: /privateRedirects/ };
    for (const host of ["127.0.0.1", "[::ffff:127.0.0.1]", "name.test", "known.test"]) {
      location = `http://${host}:${inside.port}/`;
      await assert.rejects(session.get(server.url), refused);
    }
    assert.equal(asked, 0);
    assert.equal(session.statistics().inUse, 0);
  });

  it("follows one to another public address, and any from a private address", async () => {
    await using inside = await serve((request, response) => {
      if (request.url === "/first") response.writeHead(302, { location: "/second" }).end();
      else response.end("fine");
    });
    await using last = await outside(() => inside.url);
    await using session = new ClientSession({ privateRedirects: isOutside });
    assert.equal(await (await session.get(`${inside.url}/first`)).text(), "fine");
    await using server = await outside(() => last.url);
    assert.equal(
      await session.get(server.url, { maxRedirects: 1 }).catch((error) => error.code),
      "MW_ERR_HTTP_TOO_MANY_REDIRECTS",
    );
  });

  it("says so if the name it redirects to is not found", async () => {
    await using server = await outside(() => "http://nowhere.test/");
    const lookup = (): never => {
      throw new RangeError("not found");
    };
    await using session = new ClientSession({ privateRedirects: isOutside, dns: { lookup } });
    await assert.rejects(session.get(server.url), { code: "MW_ERR_HTTP_DNS" });
  });

  it("knows by itself which addresses are public", async () => {
    await using server = await serve((_request, response) => response.end("fine"));
    await using session = new ClientSession({ privateRedirects: false });
    assert.equal(await (await session.get(server.url)).text(), "fine");
    assert.throws(() => new ClientSession({ privateRedirects: "no" as never }), {
      code: "MW_ERR_HTTP_INVALID_ARGUMENT",
    });
  });
});
