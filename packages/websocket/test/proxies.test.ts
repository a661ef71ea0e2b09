import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { inspect } from "node:util";

import { connect, ConnectError, isTransient } from "@meanwhile/websocket";
import { isCancelled, moveOnAfter } from "meanwhile";

import { CA } from "../../http/test/certificates.ts";
import { serveHttpProxy, serveSocksProxy } from "../../http/test/proxy-servers.ts";
import { deadPort, serveBare, serveRaw } from "./bare-peers.ts";

const tls = { ca: CA };
const VARIABLES = ["ws_proxy", "wss_proxy", "http_proxy", "https_proxy", "all_proxy", "no_proxy"];

afterEach(() => {
  for (const name of VARIABLES) {
    delete process.env[name];
    delete process.env[name.toUpperCase()];
  }
});

async function sayHello(url: string, options: Parameters<typeof connect>[1]): Promise<void> {
  await using socket = await connect(url, { tls, ...options });
  await socket.send("hello");
  assert.equal(await socket.recv(), "hello");
}

describe("an HTTP proxy", () => {
  for (const isSecure of [false, true]) {
    it(`tunnels to a ${isSecure ? "wss" : "ws"} server, and gets its credentials, which the server does not`, async () => {
      let headers: Readonly<Record<string, unknown>> = {};
      await using server = await serveBare(
        (socket, got) => {
          headers = got;
          socket.on("message", (data: Buffer) => socket.send(data.toString()));
        },
        { isSecure },
      );
      await using proxy = await serveHttpProxy();
      await sayHello(server.url, {
        proxy: `http://us%40er:p%3Ass@127.0.0.1:${proxy.port}`,
        headers: { "x-own": "canary" },
      });
      const authority = `127.0.0.1:${server.port}`;
      const authorization = `Basic ${btoa("us@er:p:ss")}`;
      const head = [`CONNECT ${authority} HTTP/1.1`, `host: ${authority}`, `proxy-authorization: ${authorization}`];
      assert.deepEqual(proxy.asked[0]?.split("\r\n"), head);
      assert.equal(headers["proxy-authorization"], undefined);
      await proxy.allClosed();
    });
  }

  it("may speak TLS itself", async () => {
    await using server = await serveBare(undefined, { isSecure: true });
    await using proxy = await serveHttpProxy({ isSecure: true });
    await sayHello(server.url, { proxy: `https://127.0.0.1:${proxy.port}` });
    assert.equal(proxy.asked.length, 1);
  });

  for (const [what, answer] of [
    ["refuses", "HTTP/1.1 407 No\r\n\r\n"],
    ["answers nonsense", "what?\r\n\r\n"],
    ["says more than it may", "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching\r\n\r\n"],
  ] as const) {
    it(`that ${what} is an error that names it, without its credentials`, async () => {
      await using proxy = await serveHttpProxy({ answer });
      const option = `http://user:canary@127.0.0.1:${proxy.port}`;
      await assert.rejects(connect("ws://example.invalid", { proxy: option }), (error: Error) => {
        assert.ok(error instanceof ConnectError);
        assert.equal(error.code, "MW_ERR_WS_PROXY");
        assert.ok(error.message.includes(`http://127.0.0.1:${proxy.port}`), error.message);
        assert.doesNotMatch(inspect(error), /canary/);
        if (what === "refuses") assert.equal(error.proxyStatus, 407);
        assert.equal(isTransient(error), false);
        return true;
      });
      await proxy.allClosed();
    });
  }

  it("that is not there, or hangs up, is an error of the proxy, and may be there later", async () => {
    await using hangsUp = await serveRaw((socket) => socket.once("data", () => socket.end()));
    for (const [port, message] of [
      [await deadPort(), /ECONNREFUSED/],
      [hangsUp.port, /its proxy http:\/\/127\.0\.0\.1:\d+, or the server behind it, closed the connection/],
    ] as const) {
      const connecting = connect("ws://example.invalid", { proxy: `127.0.0.1:${port}` });
      await assert.rejects(connecting, (error: Error) => {
        assert.ok(error instanceof ConnectError);
        assert.equal(error.code, "MW_ERR_WS_PROXY");
        assert.match(error.message, message);
        assert.ok(isTransient(error));
        return true;
      });
    }
  });

  it("of which TLS does not trust the certificate is not tried again", async () => {
    await using proxy = await serveHttpProxy({ isSecure: true });
    const error: unknown = await connect("ws://127.0.0.1:1", { proxy: `https://127.0.0.1:${proxy.port}` }).catch(
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof ConnectError && error.isLasting);
    assert.equal(isTransient(error), false);
  });

  it("is left at once when the call is cancelled while it says nothing", async () => {
    await using proxy = await serveHttpProxy({ answer: "" });
    await moveOnAfter(10, () =>
      connect("ws://example.invalid", { proxy: `http://127.0.0.1:${proxy.port}` }).catch((error: unknown) =>
        assert.ok(isCancelled(error)),
      ),
    );
    assert.equal(proxy.asked.length, 1);
    await proxy.allClosed();
  });
});

describe("a SOCKS proxy", () => {
  for (const kind of ["socks4", "socks4a", "socks5", "socks5h"]) {
    it(`of the kind ${kind} connects to servers, and looks up names only if it ends with a letter`, async () => {
      await using server = await serveBare(undefined, { isSecure: true });
      await using proxy = await serveSocksProxy();
      const url = `wss://localhost:${server.port}`;
      await sayHello(url, {
        proxy: `${kind}://127.0.0.1:${proxy.port}`,
        tls: { ca: CA, checkServerIdentity: () => undefined },
      });
      const [asked = ""] = proxy.asked;
      assert.equal(asked.startsWith("localhost:"), kind.endsWith("a") || kind.endsWith("h"), asked);
    });
  }

  it("gets user name and password, and nobody else does", async () => {
    await using server = await serveBare();
    await using proxy = await serveSocksProxy({ credentials: ["us@er", "canary"] });
    await sayHello(server.url, { proxy: `socks5h://us%40er:canary@127.0.0.1:${proxy.port}` });
    await assert.rejects(
      connect(server.url, { proxy: `socks5h://canary:wrong@127.0.0.1:${proxy.port}` }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "MW_ERR_WS_PROXY");
        assert.doesNotMatch(inspect(error), /canary|wrong/);
        assert.equal(isTransient(error), false);
        return true;
      },
    );
    await proxy.allClosed();
  });

  for (const [reply, isWorthIt] of [
    [1, true],
    [2, false],
    [3, true],
    [4, true],
    [5, true],
    [6, true],
    [7, false],
    [8, false],
  ] as const) {
    it(`that answers ${reply} is ${isWorthIt ? "" : "not "}worth another attempt`, async () => {
      await using proxy = await serveRaw((socket) => {
        socket.once("data", () => {
          socket.write(Buffer.from([5, 0]));
          socket.once("data", () => socket.end(Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0])));
        });
      });
      const connecting = connect("ws://127.0.0.1:1", { proxy: `socks5://127.0.0.1:${proxy.port}` });
      await assert.rejects(connecting, (error) => isTransient(error) === isWorthIt);
    });
  }

  it("is left at once when the call is cancelled at any step", async () => {
    for (const lastStep of [0, 1]) {
      await using proxy = await serveSocksProxy({ lastStep });
      await moveOnAfter(10, () =>
        connect("ws://example.invalid", { proxy: `socks5h://127.0.0.1:${proxy.port}` }).catch((error: unknown) =>
          assert.ok(isCancelled(error)),
        ),
      );
      await proxy.allClosed();
    }
  });
});

describe("the proxy of the environment", () => {
  it("is asked only where that is wanted", async () => {
    await using server = await serveBare();
    process.env["all_proxy"] = `http://127.0.0.1:${await deadPort()}`;
    await sayHello(server.url, {});
    await assert.rejects(connect(server.url, { proxy: "environment" }), { code: "MW_ERR_WS_PROXY" });
  });

  for (const [name, isSecure] of [
    ["ws_proxy", false],
    ["HTTP_PROXY", false],
    ["wss_proxy", true],
    ["https_proxy", true],
    ["ALL_PROXY", true],
  ] as const) {
    it(`is that of ${name} for a ${isSecure ? "wss" : "ws"} server`, async () => {
      await using server = await serveBare(undefined, { isSecure });
      await using proxy = await serveHttpProxy();
      process.env[name] = `http://127.0.0.1:${proxy.port}`;
      await sayHello(server.url, { proxy: "environment" });
      assert.equal(proxy.asked.length, 1);
    });
  }

  for (const list of ["*", "127.0.0.1", "example.org, 127.0.0.0/8", "127.0.0.1:PORT"]) {
    it(`is not asked for what no_proxy=${list} names`, async () => {
      await using server = await serveBare();
      process.env["http_proxy"] = `http://127.0.0.1:${await deadPort()}`;
      process.env["no_proxy"] = list.replace("PORT", String(server.port));
      await sayHello(server.url, { proxy: "environment" });
    });
  }

  it("names the variable that holds no proxy, and not what it holds", async () => {
    process.env["http_proxy"] = "canary://canary";
    await assert.rejects(connect("ws://127.0.0.1:1", { proxy: "environment" }), (error: Error & { code?: string }) => {
      assert.equal(error.code, "MW_ERR_WS_INVALID_ARGUMENT");
      assert.match(error.message, /'http_proxy'/);
      assert.doesNotMatch(error.message, /canary/);
      return true;
    });
  });
});
