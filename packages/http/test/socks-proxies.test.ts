import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import { ClientSession } from "@meanwhile/http";

import { CA, serveSecure } from "./certificates.ts";
import { failureOf, serveHttpProxy, serveSocksProxy } from "./proxy-servers.ts";
import { deadUrl, serve } from "./servers.ts";

const tls = { ca: CA };

describe("a SOCKS proxy", () => {
  for (const kind of ["socks4", "socks4a", "socks5", "socks5h"] as const) {
    it(`connects with ${kind}:, and looks names up as that says`, async () => {
      await using server = await serve((request, response) => response.end(request.headers.host));
      await using secure = await serveSecure((_request, response) => response.end("secret"));
      await using proxy = await serveSocksProxy();
      const dns = { lookup: () => ["::1", "127.0.0.1"].slice(kind === "socks4" ? 0 : 1) };
      await using session = new ClientSession({ proxy: `${kind}://127.0.0.1:${proxy.port}`, tls, dns });
      const url = `http://server.test:${server.port}/`;
      for (let index = 0; index < 3; index += 1) {
        assert.equal(await (await session.get(url)).text(), `server.test:${server.port}`);
      }
      assert.equal(await (await session.get(`https://server.test:${secure.port}/`)).text(), "secret");
      assert.equal(await (await session.get(server.url)).text(), `127.0.0.1:${server.port}`);
      const host = kind === "socks4" || kind === "socks5" ? "127.0.0.1" : "server.test";
      const ports = [server.port, secure.port];
      assert.deepEqual(proxy.asked, [...ports.map((port) => `${host}:${port}`), `127.0.0.1:${server.port}`]);
    });
  }

  it("gets user name and password, which no error shows", async () => {
    await using server = await serve((_request, response) => response.end("hello"));
    await using proxy = await serveSocksProxy({ credentials: ["user", "canary"] });
    await using session = new ClientSession({ proxy: `socks5h://user:canary@127.0.0.1:${proxy.port}` });
    assert.equal(await (await session.get(server.url)).text(), "hello");
    await using wrong = new ClientSession({ proxy: `socks5h://user:canary2@127.0.0.1:${proxy.port}` });
    const error = await failureOf(wrong.get(server.url));
    assert.equal(error.code, "MW_ERR_HTTP_PROXY");
    assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /canary/);
    await using without = new ClientSession({ proxy: `socks5h://127.0.0.1:${proxy.port}` });
    await assert.rejects(without.get(server.url), { code: "MW_ERR_HTTP_PROXY" });
  });

  it("that refuses, or makes no sense, is an error", async () => {
    const refusal = Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
    for (const answer of [refusal, Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")]) {
      await using proxy = await serveSocksProxy({ answer });
      await using session = new ClientSession({ proxy: `socks5h://127.0.0.1:${proxy.port}` });
      await assert.rejects(session.get("http://some.test/"), { name: "ConnectError", code: "MW_ERR_HTTP_PROXY" });
      await proxy.allClosed();
    }
    await using session = new ClientSession({ proxy: (await deadUrl()).replace("http", "socks5") });
    await assert.rejects(session.get("http://127.0.0.1/"), { code: "MW_ERR_HTTP_PROXY", message: /ECONNREFUSED/ });
    const dns = { lookup: () => "::1" };
    await using old = new ClientSession({ proxy: "socks4://127.0.0.1:1", dns });
    await assert.rejects(old.get("http://some.test/"), { code: "MW_ERR_HTTP_DNS", message: /SOCKS 4/ });
  });
});

describe("publicOnly with a proxy", () => {
  const refused = { name: "ConnectError", code: "MW_ERR_HTTP_ADDRESS_REFUSED" };

  it("refuses names that only the proxy looks up", async () => {
    await using http = await serveHttpProxy();
    await using socks = await serveSocksProxy();
    for (const proxy of [`http://127.0.0.1:${http.port}`, `socks5h://127.0.0.1:${socks.port}`]) {
      await using session = new ClientSession({ proxy, publicOnly: () => true });
      await assert.rejects(session.get("http://some.test/"), { ...refused, message: /cannot check the address/ });
      await assert.rejects(session.get("https://some.test/"), refused);
    }
    assert.deepEqual([http.sockets.length, socks.sockets.length], [0, 0]);
  });

  it("checks addresses, and names that are looked up here", async () => {
    await using server = await serve((_request, response) => response.end("hello"));
    await using http = await serveHttpProxy();
    await using socks = await serveSocksProxy();
    const publicOnly = (address: string): boolean => address !== "127.0.0.9";
    const dns = { lookup: (name: string) => (name === "some.test" ? "127.0.0.1" : "127.0.0.9") };
    await using session = new ClientSession({ proxy: `socks5://127.0.0.1:${socks.port}`, publicOnly, dns });
    assert.equal(await (await session.get(`http://some.test:${server.port}/`)).text(), "hello");
    await assert.rejects(session.get(`http://other.test:${server.port}/`), refused);
    await using other = new ClientSession({ proxy: `http://127.0.0.1:${http.port}`, publicOnly });
    assert.equal(await (await other.get(server.url)).text(), "hello");
    await assert.rejects(other.get(`http://127.0.0.9:${server.port}/`), refused);
    await assert.rejects(other.get(`https://127.0.0.9:${server.port}/`), refused);
    assert.deepEqual([http.sockets.length, socks.sockets.length], [1, 1]);
  });
});
