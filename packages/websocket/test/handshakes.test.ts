import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket } from "node:net";
import { describe, it } from "node:test";

import { Event, run, sleep, sleepForever } from "meanwhile";

import { refuse, serve, type ServeErrorInfo, type ServeOptions } from "../src/index.ts";
import { ask, type RawAnswer, type RawRequest, requestOf } from "./raw-requests.ts";

const greet = (): void => {};

/** What a server with these options answers to one request. */
function answerOf<User>(options: ServeOptions<User>, request?: RawRequest): Promise<RawAnswer> {
  return run(async () => {
    await using server = await serve<User>(greet, options);
    return await ask(server.port, request);
  });
}

/** The same, with what `onError` was told. */
async function failureOf<User>(
  options: ServeOptions<User>,
  request?: RawRequest,
): Promise<[RawAnswer, unknown, string]> {
  const told: Array<[unknown, ServeErrorInfo<User>]> = [];
  const onError = (error: unknown, info: ServeErrorInfo<User>): unknown => told.push([error, info]);
  const answer = await answerOf({ ...options, onError }, request);
  const [first] = told;
  assert.equal(told.length, 1);
  return [answer, first?.[0], first?.[1].during ?? ""];
}

describe("a handshake", () => {
  it("opens a connection", async () => {
    const { status, headers } = await answerOf({ headers: { "X-Server": "one" } });
    assert.equal(status, 101);
    assert.equal(headers.get("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert.equal(headers.get("x-server"), "one");
  });

  for (const [what, request, status, header] of [
    ["another method", { method: "POST" }, 405, "allow"],
    ["another protocol", { headers: { Upgrade: "h2c" } }, 426, "upgrade"],
    ["an old version", { headers: { "Sec-WebSocket-Version": "8" } }, 426, "sec-websocket-version"],
    ["no version", { headers: { "Sec-WebSocket-Version": undefined } }, 426, "sec-websocket-version"],
    ["no key", { headers: { "Sec-WebSocket-Key": undefined } }, 400, "content-length"],
    ["a key that is none", { headers: { "Sec-WebSocket-Key": "short" } }, 400, "content-length"],
    ["subprotocols that cannot be read", { headers: { "Sec-WebSocket-Protocol": "a b,," } }, 400, "content-length"],
    ["extensions that cannot be read", { headers: { "Sec-WebSocket-Extensions": "a;;=" } }, 400, "content-length"],
    ["a page of another host", { headers: { Origin: "https://evil.test" } }, 403, "content-length"],
    ["no upgrade", { headers: { Upgrade: undefined, Connection: undefined } }, 426, "upgrade"],
  ] as const) {
    it(`with ${what} is refused with ${status}`, async () => {
      const answer = await answerOf({}, request);
      assert.equal(answer.status, status);
      assert.ok(answer.headers.has(header));
    });
  }

  it("with more than 128 headers is refused with 431", async () => {
    const headers = Object.fromEntries(Array.from({ length: 124 }, (_, index) => [`X-${index}`, "x"]));
    assert.equal((await answerOf({}, { headers })).status, 431);
    delete headers["X-0"];
    assert.equal((await answerOf({}, { headers })).status, 101);
  });

  it("with a head that is too long is refused with 431", async () => {
    const headers = { "X-Long": "x".repeat(2_000) };
    assert.equal((await answerOf({ maxHandshakeBytes: 1_024 }, { headers })).status, 431);
    assert.equal((await answerOf({}, { headers })).status, 101);
  });

  it("at a path that no route matches is refused with 404", async () => {
    await run(async () => {
      await using server = await serve(null, { routes: { "/rooms/:room": greet } });
      assert.equal((await ask(server.port, { path: "/rooms" })).status, 404);
      assert.equal((await ask(server.port, { path: "/rooms/blue?x=1" })).status, 101);
      assert.equal((await ask(server.port, { path: "//rooms/blue" })).status, 404);
      assert.equal((await ask(server.port, { path: "/", headers: { Host: "x/rooms/blue?" } })).status, 404);
      assert.equal((await ask(server.port, { path: "/rooms/blue", headers: { Host: "no host" } })).status, 101);
      assert.equal((await ask(server.port, { path: "http://elsewhere.test/rooms/blue" })).status, 101);
    });
  });

  it("that does not come in time ends the connection", async () => {
    await run(async () => {
      await using server = await serve(greet, { openTimeoutMs: 5 });
      const silent = connectSocket(server.port ?? 0, "127.0.0.1").resume();
      const slow = connectSocket(server.port ?? 0, "127.0.0.1").resume();
      for (const socket of [silent, slow]) socket.on("error", () => {});
      slow.write(requestOf().slice(0, -2));
      await Promise.all([once(silent, "close"), once(slow, "close")]);
      assert.equal(server.statistics().opened, 0);
    });
  });

  it("beyond what is let in is refused with 503, and of one address with 429", async () => {
    await run(async () => {
      for (const [options, status] of [
        [{ maxConnections: 1 }, 503],
        [{ maxConnectionsPerAddress: 1 }, 429],
      ] as const) {
        await using server = await serve(sleepForever, { ...options, drainMs: 1 });
        const first = connectSocket(server.port ?? 0, "127.0.0.1");
        first.write(requestOf());
        await once(first, "data");
        const second = await ask(server.port);
        assert.equal(second.status, status);
        assert.equal(second.headers.get("retry-after"), "10");
        assert.equal(server.statistics().refused, 1);
        first.destroy();
      }
    });
  });
});

describe("authenticate", () => {
  it("is given the request, and what it returns is the user", async () => {
    const users: unknown[] = [];
    await run(async () => {
      await using server = await serve<{ name: string }>((socket) => users.push(socket.user.name), {
        allowedOrigins: "same-host",
        authenticate: async ({ headers }) => ({ name: headers.get("x-name") ?? "nobody" }),
      });
      assert.equal((await ask(server.port, { headers: { "X-Name": "ada" } })).status, 101);
    });
    assert.deepEqual(users, ["ada"]);
  });

  it("refuses with 401, or with what refuse() says", async () => {
    for (const said of [undefined, null, false] as const) {
      const unknown = await answerOf({ allowedOrigins: "any", authenticate: async () => said });
      assert.equal(unknown.status, 401, String(said));
    }
    assert.equal((await answerOf({ allowedOrigins: "any", authenticate: () => true })).status, 101);
    const authenticate = (): ReturnType<typeof refuse> => refuse(402, "pay first", { "X-Price": "1" });
    const paying = await answerOf({ allowedOrigins: "any", authenticate });
    assert.deepEqual([paying.status, paying.body, paying.headers.get("x-price")], [402, "pay first", "1"]);
  });

  it("that throws refuses with 500, tells onError, and tells the client nothing", async () => {
    const authenticate = (): never => {
      throw new RangeError("the secret is out of range");
    };
    const [answer, error, during] = await failureOf({ allowedOrigins: "any", authenticate });
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body, /secret/);
    assert.ok(error instanceof RangeError);
    assert.equal(during, "authenticate");
  });

  it("that takes too long is cancelled, and the client refused with 503", async () => {
    let cleaned = false;
    const authenticate = async (): Promise<never> => {
      try {
        return await sleepForever();
      } finally {
        cleaned = true;
      }
    };
    const [answer, error] = await failureOf({ allowedOrigins: "any", authenticate, openTimeoutMs: 50 });
    assert.equal(answer.status, 503);
    assert.equal((error as { code: string }).code, "MW_ERR_WS_OPEN_TIMEOUT");
    assert.ok(cleaned);
  });

  for (const how of ["destroy", "end"] as const) {
    it(`is cancelled when its client is gone (${how}), whose place is free again`, () =>
      run(async () => {
        const asked = new Event();
        const cancelled = new Event();
        const authenticate = async (): Promise<string> => {
          asked.set();
          try {
            return await sleepForever();
          } finally {
            cancelled.set();
          }
        };
        await using server = await serve<string>(greet, { authenticate, allowedOrigins: "any" });
        const client = connectSocket(server.port ?? 0, "127.0.0.1").resume();
        client.on("error", () => {});
        client.write(requestOf());
        await asked.wait();
        client[how]();
        await cancelled.wait();
        while (server.statistics().handshakes > 0) await sleep(1);
        assert.deepEqual([server.statistics().opened, server.statistics().failed], [0, 0]);
        client.destroy();
      }));
  }

  it("is not asked for a page of another host", async () => {
    const authenticate = (): never => assert.fail("it was asked");
    const headers = { Origin: "https://evil.test" };
    assert.equal((await answerOf({ allowedOrigins: "same-host", authenticate }, { headers })).status, 403);
  });

  it("wants it said which pages may connect", async () => {
    await assert.rejects(answerOf({ authenticate: () => "ada" }), {
      code: "MW_ERR_WS_INVALID_ARGUMENT",
      message: /'allowedOrigins'.*cookies/,
    });
  });
});

describe("subprotocols", () => {
  const offer = (...names: readonly string[]): RawRequest => ({
    headers: { "Sec-WebSocket-Protocol": names.join(", ") },
  });

  it("are chosen as the server likes them best", async () => {
    const { headers } = await answerOf({ subprotocols: ["v2", "v1"] }, offer("v1", "v2"));
    assert.equal(headers.get("sec-websocket-protocol"), "v2");
  });

  it("have to be among those of the server", async () => {
    const answer = await answerOf({ subprotocols: ["v2", "v1"] }, offer("v3"));
    assert.equal(answer.status, 400);
    assert.match(answer.body, /v2, v1/);
    assert.equal((await answerOf({ subprotocols: ["v2"] })).status, 400);
  });

  it("are left out by a server that knows of none", async () => {
    const { status, headers } = await answerOf({}, offer("v1"));
    assert.equal(status, 101);
    assert.ok(!headers.has("sec-websocket-protocol"));
  });

  it("are chosen by a function, which may choose none", async () => {
    const last = await answerOf({ subprotocols: (offered) => offered.at(-1) ?? null }, offer("v1", "v2"));
    assert.equal(last.headers.get("sec-websocket-protocol"), "v2");
    const none = await answerOf({ subprotocols: () => null }, offer("v1"));
    assert.equal(none.status, 101);
    assert.ok(!none.headers.has("sec-websocket-protocol"));
  });

  it("that were not offered must not be chosen", async () => {
    const [answer, error, during] = await failureOf({ subprotocols: () => "v9" }, offer("v1"));
    assert.equal(answer.status, 500);
    assert.equal((error as { code: string }).code, "MW_ERR_WS_SUBPROTOCOL");
    assert.equal(during, "subprotocol");
  });

  it("must not be chosen later, and what fails then ends no process", async () => {
    const subprotocols = async (): Promise<string> => assert.fail("not now");
    const [answer, error] = await failureOf({ subprotocols: subprotocols as never }, offer("v1"));
    assert.equal(answer.status, 500);
    assert.equal((error as { code: string }).code, "MW_ERR_WS_SUBPROTOCOL");
  });
});

describe("compression that is offered", () => {
  for (const [offers, agreed] of [
    ["permessage-deflate; server_max_window_bits=10", /server_max_window_bits=10/],
    ["permessage-deflate; mystery", null],
    ["permessage-deflate; server_max_window_bits=7", null],
    ["permessage-deflate; server_max_window_bits=09", null],
    ["permessage-deflate; client_no_context_takeover=1", null],
    ["permessage-deflate; client_max_window_bits; client_max_window_bits=9", null],
    ["x-webkit-deflate-frame", null],
    ['permessage-deflate; mystery=1, x-other; y="z", permessage-deflate; server_max_window_bits="9"', /=9/],
  ] as const) {
    it(`as "${offers}" is ${agreed === null ? "declined" : "agreed on"}, and the connection opened`, async () => {
      const { status, headers } = await answerOf({}, { headers: { "Sec-WebSocket-Extensions": offers } });
      assert.equal(status, 101);
      if (agreed === null) assert.ok(!headers.has("sec-websocket-extensions"));
      else assert.match(headers.get("sec-websocket-extensions") ?? "", agreed);
    });
  }

  it("is what a handler reads, all of it", async () => {
    const offers = "permessage-deflate; mystery, permessage-deflate";
    await run(async () => {
      const read = new Event();
      const look = ({ request }: { request: { headers: Headers } }): void => {
        assert.equal(request.headers.get("sec-websocket-extensions"), offers);
        read.set();
      };
      await using server = await serve(look);
      await ask(server.port, { headers: { "Sec-WebSocket-Extensions": offers } });
      await read.wait();
    });
  });
});

describe("options of a server", () => {
  for (const [what, options] of [
    ["a name that is none", { verifyClient: greet }],
    ["a port that is none", { port: 70_000 }],
    ["a limit that is none", { maxConnections: 0 }],
    ["a timeout that is none", { drainMs: -1 }],
    ["headers that are none", { headers: { "X Y": "z" } }],
    ["headers with a line break", { headers: { "X-Y": "a\r\nSet-Cookie: b" } }],
    ["headers of the handshake itself", { headers: { "sec-websocket-accept": "x" } }],
    ["headers of a body", { headers: { "Content-Length": "5" } }],
    ["no subprotocols", { subprotocols: [] }],
    ["a server that is none", { server: {} }],
    ["TLS that is none", { tls: true }],
    ["a certificate that is none", { tls: { cert: "none", key: "none" } }],
  ] as const) {
    it(`with ${what} are refused`, async () => {
      await assert.rejects(answerOf(options as never), { code: "MW_ERR_WS_INVALID_ARGUMENT" });
    });
  }

  it("have to have a handler, or routes", async () => {
    await assert.rejects(
      run(() => serve(null)),
      { code: "MW_ERR_WS_INVALID_ARGUMENT" },
    );
  });

  it("of a refusal are checked", () => {
    assert.throws(() => refuse(200), { code: "MW_ERR_WS_INVALID_ARGUMENT" });
    assert.throws(() => refuse(401, "x", { "X-Y": "a\r\nb" }), { code: "MW_ERR_WS_INVALID_ARGUMENT" });
    assert.throws(() => refuse(401, "x", { "content-length": "9" }), { code: "MW_ERR_WS_INVALID_ARGUMENT" });
  });
});
