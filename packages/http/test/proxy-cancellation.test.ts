import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";

import { ClientSession, type SessionOptions } from "@meanwhile/http";
import { cancelScope, isCancelled, sleep } from "meanwhile";

import { CA } from "./certificates.ts";
import { serveHttpProxy, serveSocksProxy } from "./proxy-servers.ts";

const tls = { ca: CA };

describe("cancelling a request on its way through a proxy", () => {
  const ways: ReadonlyArray<
    [string, (onStep: (step: number, socket: Socket) => void) => ReturnType<typeof serveHttpProxy>, string]
  > = [
    ["http", (onStep) => serveHttpProxy({ onStep, answer: "" }), "http"],
    ["https", (onStep) => serveHttpProxy({ onStep, answer: "HTTP/1.1 200", isSecure: true }), "https"],
    ["TLS inside of the tunnel", (onStep) => serveHttpProxy({ onStep, answer: "HTTP/1.1 200 OK\r\n\r\n" }), "http"],
    ["the greeting of SOCKS", (onStep) => serveSocksProxy({ onStep, lastStep: 0 }), "socks5h"],
    ["the request of SOCKS", (onStep) => serveSocksProxy({ onStep, lastStep: 1 }), "socks5h"],
    ["SOCKS 4", (onStep) => serveSocksProxy({ onStep, lastStep: 0 }), "socks4a"],
  ];
  for (const [name, start, scheme] of ways) {
    it(`closes the socket: ${name}`, async () => {
      const reached = Promise.withResolvers<void>();
      await using proxy = await start((step) => {
        if (step === (name.startsWith("the request") ? 2 : 1)) reached.resolve();
      });
      const option: SessionOptions = { limit: 1, proxy: { url: `${scheme}://127.0.0.1:${proxy.port}`, tls } };
      await using session = new ClientSession(option);
      await cancelScope(async (scope) => {
        reached.promise.then(
          () => setImmediate(() => scope.cancel("enough")),
          () => {},
        );
        await assert.rejects(session.get("https://some.test/"), isCancelled);
        assert.deepEqual([session.statistics().inUse, session.statistics().idle], [0, 0]);
      });
      await proxy.allClosed();
      assert.equal(proxy.sockets.length, 1);
    });
  }

  it("is what connectMs does too", async () => {
    await using proxy = await serveHttpProxy({ answer: "" });
    await using session = new ClientSession({ proxy: `http://127.0.0.1:${proxy.port}`, timeouts: { connectMs: 8 } });
    await assert.rejects(session.get("https://some.test/"), { code: "MW_ERR_HTTP_CONNECT_TIMEOUT" });
    await proxy.allClosed();
  });

  it("is what closing the session does too", async () => {
    const reached = Promise.withResolvers<void>();
    await using http = await serveHttpProxy({ answer: "", onStep: () => reached.resolve() });
    const session = new ClientSession({ proxy: `http://127.0.0.1:${http.port}` });
    const refused = assert.rejects(session.get("https://some.test/"), { code: "MW_ERR_HTTP_CLOSED" });
    await reached.promise;
    await session.close();
    await refused;
    await http.allClosed();
  });

  it("works while the name is looked up, for which connectMs holds as well", async () => {
    await using socks = await serveSocksProxy();
    const answer = Promise.withResolvers<string>();
    const proxy = `socks5://127.0.0.1:${socks.port}`;
    const dns = { lookup: () => answer.promise };
    await using session = new ClientSession({ proxy, dns, timeouts: { connectMs: 5 } });
    await assert.rejects(session.get("http://some.test/"), { code: "MW_ERR_HTTP_CONNECT_TIMEOUT" });
    answer.resolve("127.0.0.1");
    await sleep(2);
    assert.equal(socks.sockets.length, 0);
  });
});
