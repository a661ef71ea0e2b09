import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import { ClientSession, HttpError } from "@meanwhile/http";
import { gather, sleep } from "meanwhile";

import { CA, serveSecure } from "./certificates.ts";
import { failureOf, serveHttpProxy } from "./proxy-servers.ts";
import { deadUrl, onEachHead, serve, serveRaw } from "./servers.ts";

const tls = { ca: CA };

describe("an HTTP proxy", () => {
  it("gets requests for http URLs as they are, with its authorization, which the server does not get (C13)", async () => {
    await using server = await serve((request, response) => {
      response.end(JSON.stringify({ url: request.url, host: request.headers.host, headers: request.rawHeaders }));
    });
    await using proxy = await serveHttpProxy();
    await using session = new ClientSession({ proxy: `http://us%40er:p%3Ass@127.0.0.1:${proxy.port}` });
    const answer = (await (await session.get(`${server.url}/a?b=c`)).json()) as { url: string; host: string };
    assert.deepEqual([answer.url, answer.host], ["/a", `127.0.0.1:${server.port}`]);
    const [head = ""] = proxy.asked;
    assert.ok(head.startsWith(`GET http://127.0.0.1:${server.port}/a?b=c HTTP/1.1\r\n`), head);
    assert.match(head, new RegExp(`proxy-authorization: Basic ${btoa("us@er:p:ss")}`));
  });

  it("tunnels to https servers and sees nothing but their name", async () => {
    await using server = await serveSecure((request, response) => response.end(JSON.stringify(request.rawHeaders)));
    await using proxy = await serveHttpProxy();
    const headers = { "X-Way": "north" };
    const option = { url: `http://user:canary@127.0.0.1:${proxy.port}`, headers };
    await using session = new ClientSession({ proxy: option, tls });
    for (let index = 0; index < 3; index += 1) {
      const text = await (await session.get(server.url, { headers: { "x-own": "1" } })).text();
      assert.match(text, /x-own/);
      assert.doesNotMatch(text, /proxy-authorization|x-way|canary/i);
    }
    assert.equal(proxy.asked.length, 1);
    const [head = ""] = proxy.asked;
    const authority = `127.0.0.1:${server.port}`;
    const authorization = `Basic ${btoa("user:canary")}`;
    assert.deepEqual(head.split("\r\n"), [
      `CONNECT ${authority} HTTP/1.1`,
      `host: ${authority}`,
      `proxy-authorization: ${authorization}`,
      "x-way: north",
    ]);
    const { hosts } = session.statistics();
    assert.deepEqual(Object.keys(hosts), [`${server.url} via http://127.0.0.1:${proxy.port}`]);
  });

  it("looks names up itself", async () => {
    await using server = await serveSecure((_request, response) => response.end("hello"));
    await using proxy = await serveHttpProxy();
    const dns = { lookup: (): never => assert.fail("was looked up") };
    await using session = new ClientSession({ proxy: `127.0.0.1:${proxy.port}`, tls, dns });
    assert.equal(await (await session.get(`https://server.test:${server.port}/`)).text(), "hello");
    assert.match(proxy.asked[0] ?? "", /^CONNECT server\.test:/);
  });

  it("can be asked over TLS", async () => {
    await using server = await serveSecure((_request, response) => response.end("secret"));
    await using plain = await serve((_request, response) => response.end("open"));
    await using proxy = await serveHttpProxy({ isSecure: true });
    const url = new URL(`https://127.0.0.1:${proxy.port}`);
    await using session = new ClientSession({ proxy: { url, tls }, tls });
    assert.equal(await (await session.get(server.url)).text(), "secret");
    assert.equal(await (await session.get(plain.url)).text(), "open");
    assert.equal(proxy.asked.length, 2);
    // What is said about servers does not hold for the proxy.
    await using wary = new ClientSession({ proxy: { url }, tls });
    await assert.rejects(wary.get(server.url), { code: "MW_ERR_HTTP_PROXY", message: /SELF_SIGNED_CERT|UNABLE_TO/ });
  });

  it("that refuses is an error with its status and without its password", async () => {
    for (const [answer, text] of [
      ["HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", /status 407; pass user name/],
      ["HTTP/1.1 502 Bad Gateway\r\n\r\n", /refused the tunnel with the status 502/],
      ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", /status 100/],
      ["HTTP/1.1 200 OK\r\n\r\ntoo much", /does not speak HTTP/],
      ["SSH-2.0-OpenSSH\r\n\r\n", /does not speak HTTP/],
      [`HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(5_000)}`, /does not speak HTTP/],
    ] as const) {
      await using proxy = await serveHttpProxy({ answer });
      await using session = new ClientSession({ proxy: `http://user:canary@127.0.0.1:${proxy.port}` });
      const error = await failureOf(session.get("https://some.test/"));
      assert.deepEqual([error.name, error.code], ["ConnectError", "MW_ERR_HTTP_PROXY"]);
      assert.match(error.message, text);
      assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /canary|dXNlcjpjYW5hcnk/);
      await proxy.allClosed();
      assert.equal(session.statistics().inUse, 0);
    }
  });

  it("may answer byte by byte", async () => {
    await using server = await serveSecure((_request, response) => response.end("hello"));
    await using proxy = await serveRaw((socket) => {
      onEachHead(socket, async () => {
        for (const byte of "HTTP/1.1 200 Connected\r\nX-Slow: 1\r\n\r\n") {
          socket.write(byte);
          await sleep(0);
        }
        socket.removeAllListeners("data");
        const upstream = connect(server.port, "127.0.0.1");
        socket.on("close", () => upstream.destroy());
        socket.pipe(upstream).pipe(socket);
      });
    });
    await using session = new ClientSession({ proxy: proxy.url, tls });
    assert.equal(await (await session.get(server.url)).text(), "hello");
  });

  it("that is not there, or hangs up, is an error of the proxy", async () => {
    await using session = new ClientSession({ proxy: await deadUrl() });
    for (const scheme of ["http", "https"]) {
      const error = await failureOf(session.get(`${scheme}://some.test/`));
      assert.deepEqual([error.name, error.code], ["ConnectError", "MW_ERR_HTTP_PROXY"]);
      assert.match(error.message, /ECONNREFUSED/);
    }
    await using rude = await serveHttpProxy({ onStep: (_step, socket) => socket.destroy() });
    await using other = new ClientSession({ proxy: `http://127.0.0.1:${rude.port}` });
    await assert.rejects(other.get("https://some.test/"), { code: "MW_ERR_HTTP_PROXY", message: /closed|ECONNRESET/ });
  });

  it("leaves the errors of the server to the server", async () => {
    await using server = await serveSecure((_request, response) => response.end("hello"));
    await using proxy = await serveHttpProxy();
    await using session = new ClientSession({ proxy: `http://127.0.0.1:${proxy.port}` });
    await assert.rejects(session.get(server.url), { code: "MW_ERR_HTTP_TLS" });
    await proxy.allClosed();
  });

  it("is chosen for each request by a function", async () => {
    await using server = await serve((_request, response) => response.end("hello"));
    await using first = await serveHttpProxy();
    await using second = await serveHttpProxy();
    const ways: Readonly<Record<string, string | null>> = {
      "/first": `http://127.0.0.1:${first.port}`,
      "/second": `http://127.0.0.1:${second.port}`,
      "/again": `http://name:word@127.0.0.1:${second.port}`,
      "/direct": null,
    };
    await using session = new ClientSession({ proxy: ({ pathname }) => ways[pathname] as string | null });
    for (const path of Object.keys(ways)) await (await session.get(server.url + path)).text();
    assert.deepEqual([first.asked.length, second.asked.length, server.sockets.length], [1, 2, 4]);
    await assert.rejects(session.get(`${server.url}/other`), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    assert.equal(session.statistics().inUse, 0);
  });
});

describe("the option proxy", () => {
  it("is forgotten with all that belongs to it if another one is taken in the end", async () => {
    await using server = await serve((_request, response) => response.end("fine"));
    await using proxy = await serveHttpProxy();
    let count = 0;
    const choose = (): string => `http://user${(count += 1)}:x@127.0.0.1:${proxy.port}`;
    await using session = new ClientSession({ limitPerHost: 1, keepAlive: false, proxy: choose });
    const texts = await gather(Array.from({ length: 10 }, () => async () => (await session.get(server.url)).text()));
    assert.equal(texts.length, 10);
    assert.deepEqual(session.statistics().hosts, {});
  });

  it("is checked before anything is sent, and never shown", () => {
    const wrong: ReadonlyArray<unknown> = [
      7,
      null,
      "",
      "ftp://canary@127.0.0.1",
      "http://user:canary@",
      "socks5://us%er:canary@127.0.0.1",
      `socks5://user:canary${"x".repeat(300)}@127.0.0.1`,
      { url: "127.0.0.1", headers: { "bad name": "canary" } },
      { url: "127.0.0.1", headers: { "x-bad": "canary\r\n" } },
      { url: "https://127.0.0.1", tls: { ca: 7 } },
      { url: undefined },
    ];
    for (const proxy of wrong) {
      assert.throws(
        () => new ClientSession({ proxy: proxy as never }),
        (error: unknown) => {
          assert.ok(error instanceof HttpError, String(error));
          assert.match(error.code, /^MW_ERR_HTTP_INVALID_(ARGUMENT|HEADER)$/);
          assert.equal(error.attempts, 0);
          assert.doesNotMatch(inspect(error, { depth: 9 }), /canary/);
          return true;
        },
        inspect(proxy),
      );
    }
  });
});

describe("a proxy() that throws", () => {
  it("fails the request, and holds no slot", async () => {
    const cause = new TypeError("of the user");
    await using session = new ClientSession({
      limit: 1,
      proxy: () => {
        throw cause;
      },
    });
    for (let turn = 0; turn < 2; turn += 1) {
      await assert.rejects(session.get("http://127.0.0.1:1/"), {
        code: "MW_ERR_HTTP_INVALID_ARGUMENT",
        attempts: 0,
        cause,
      });
    }
    assert.equal(session.statistics().inUse, 0);
  });
});
