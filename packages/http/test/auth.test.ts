import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { basicAuth, bearerAuth, ClientSession, digestAuth, type Middleware, Secret } from "@meanwhile/http";
import { cancelScope, gather, isCancelled, sleep } from "meanwhile";
import { runTest } from "meanwhile/testing";

import { through } from "./requests.ts";
import { serve } from "./servers.ts";

const WRONG = { code: "MW_ERR_HTTP_INVALID_ARGUMENT", attempts: 0 };

/** Answers with the field Authorization that came. */
const echo: Middleware = (request) => request.respond({ body: request.headers.get("authorization") ?? "none" });

const decoded = (text: string) => Buffer.from(text.replace("Basic ", ""), "base64").toString();

describe("basicAuth", () => {
  it("sends the name and the password with the first request", async () => {
    const send = through(basicAuth("Aladdin", new Secret("open sesame")), echo);
    assert.equal(await (await send("http://shop.test/")).text(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  });

  it("encodes them as UTF-8, and leaves a colon in the password", async () => {
    const send = through(basicAuth("Jäsøn", "päss:wörd:"), echo);
    assert.equal(decoded(await (await send("http://shop.test/")).text()), "Jäsøn:päss:wörd:");
    assert.equal(decoded(await (await through(basicAuth("", ""), echo)("http://shop.test/")).text()), ":");
  });

  it("refuses what cannot be sent, and does not show it", () => {
    for (const [user, password] of [
      ["a:b", "canary"],
      ["a\n", "canary"],
      ["a", "canary\r\n"],
      ["a", "canary\u0000"],
      ["a", "canary\u007f"],
      ["a", 1],
      [null, "canary"],
    ]) {
      assert.throws(
        () => basicAuth(user as never, password as never),
        (error) => {
          assert.ok(error instanceof Error && !/canary/.test(error.message));
          assert.throws(() => {
            throw error;
          }, WRONG);
          return true;
        },
      );
    }
    assert.throws(() => basicAuth("a", "b", { origin: "nonsense" }), { code: "MW_ERR_HTTP_INVALID_URL" });
  });
});

describe("every kind of auth", () => {
  const kinds: Readonly<Record<string, () => Middleware>> = {
    basic: () => basicAuth("user", "password"),
    bearer: () => bearerAuth("token"),
    "bearer of a function": () => bearerAuth(() => "token"),
    digest: () => digestAuth("user", "password"),
  };
  const closed: Middleware = (request) =>
    request.respond({
      status: 401,
      headers: { "www-authenticate": 'Digest realm="x", nonce="y"' },
      body: request.headers.get("authorization") ?? "none",
    });

  for (const [name, make] of Object.entries(kinds)) {
    it(`sends nothing to an origin that a redirect led to (${name})`, async () => {
      const response = await through(make(), closed)("http://shop.test/", { isCrossOrigin: true });
      assert.equal(await response.text(), "none");
    });

    it(`leaves what the caller set (${name})`, async () => {
      const response = await through(make(), closed)("http://shop.test/", { headers: { authorization: "Mine" } });
      assert.deepEqual([response.status, await response.text()], [401, "Mine"]);
    });

    it(`goes along with a redirect on its origin, and not beyond (${name})`, async () => {
      const seen: string[] = [];
      await using other = await serve((request, response) => {
        seen.push(`other ${request.headers.authorization ?? "none"}`);
        response.end();
      });
      await using server = await serve((request, response) => {
        const { authorization, host } = request.headers;
        if (authorization === undefined)
          return response.writeHead(401, { "www-authenticate": 'Digest realm="x", nonce="y", qop="auth"' }).end();
        seen.push(`${request.url} ${authorization.split(" ")[0]}`);
        return response.writeHead(302, { location: request.url === "/a" ? `http://${host}/b` : other.url }).end();
      });
      await using session = new ClientSession({ auth: make() });
      await session.get(`${server.url}/a`);
      const scheme = { basic: "Basic", digest: "Digest" }[name] ?? "Bearer";
      assert.deepEqual(seen, [`/a ${scheme}`, `/b ${scheme}`, "other none"]);
    });
  }

  it("goes to one origin only if it is told so", async () => {
    const send = through(basicAuth("user", "password", { origin: "https://shop.test/any" }), echo);
    for (const [url, isSent] of [
      ["https://shop.test/", true],
      ["http://shop.test/", false],
      ["https://shop.test:444/", false],
      ["https://www.shop.test/", false],
    ] as const) {
      assert.equal((await (await send(url)).text()) !== "none", isSent, url);
    }
  });
});

describe("bearerAuth", () => {
  it("sends a token that is given as it is, and asks no second time", async () => {
    let count = 0;
    const server: Middleware = (request) => {
      count += 1;
      return request.respond({ status: 401, body: request.headers.get("authorization") ?? "" });
    };
    for (const token of ["abc.def~+/=", new Secret("abc.def~+/=")]) {
      assert.equal(await (await through(bearerAuth(token), server)("http://shop.test/")).text(), "Bearer abc.def~+/=");
    }
    assert.equal(count, 2);
  });

  it("refuses a token that cannot be sent, and does not show it", async () => {
    for (const token of ["", "canary x", "canary\r\n", "canäry", 1, null, {}]) {
      assert.throws(() => bearerAuth(token as never), WRONG);
      const error = await through(
        bearerAuth(() => token as never),
        echo,
      )("http://shop.test/").catch((caught: unknown) => caught);
      assert.ok(error instanceof Error && !error.message.includes("canary"));
    }
  });

  /** A server that takes only the token of `valid()`, and a source that counts how often it is asked. */
  function renewing(valid: () => string, delayMs = 0) {
    const state = { asked: 0, sent: 0, closed: 0 };
    const server: Middleware = async (request) => {
      state.sent += 1;
      if (request.headers.get("authorization") === `Bearer ${valid()}`) return request.respond({ body: "in" });
      async function* body() {
        try {
          yield "wrong";
        } finally {
          state.closed += 1;
        }
      }
      return request.respond({ status: 401, body: body() });
    };
    const source = async () => {
      state.asked += 1;
      await sleep(delayMs);
      return `token${state.asked}`;
    };
    return { state, send: through(bearerAuth(source), server) };
  }

  it("asks a function once, and again after a 401", async () => {
    let valid = "token1";
    const { state, send } = renewing(() => valid);
    for (let count = 0; count < 3; count += 1) assert.equal((await send("http://shop.test/")).status, 200);
    assert.deepEqual([state.asked, state.sent], [1, 3]);
    valid = "token2";
    assert.equal((await send("http://shop.test/")).status, 200);
    assert.deepEqual([state.asked, state.sent], [2, 5]);
  });

  it("gives the 401 back when the new token is of no use either", async () => {
    const { state, send } = renewing(() => "none");
    const response = await send("http://shop.test/");
    assert.deepEqual([response.status, await response.text(), state.asked, state.sent], [401, "wrong", 2, 2]);
  });

  it("asks once for all requests that need a token at the same time", async () => {
    await runTest(async () => {
      let valid = "token1";
      const { state, send } = renewing(() => valid, 100);
      const all = async () =>
        gather(Array.from({ length: 20 }, () => async () => (await send("http://shop.test/")).status));
      assert.deepEqual(new Set(await all()), new Set([200]));
      assert.equal(state.asked, 1);
      valid = "token2";
      assert.deepEqual(new Set(await all()), new Set([200]));
      assert.deepEqual([state.asked, state.sent], [2, 60]);
    });
  });

  it("lets the next one ask when the one that asked is cancelled", async () => {
    await runTest(async () => {
      const { state, send } = renewing(() => "token2", 100);
      const statuses: unknown[] = [];
      let cancelFirst = () => {};
      await gather([
        async () => {
          await sleep(50);
          cancelFirst();
        },
        async () =>
          cancelScope(async (scope) => {
            cancelFirst = () => scope.cancel();
            await send("http://shop.test/").catch((error: unknown) => {
              statuses.push(isCancelled(error));
              throw error;
            });
          }).catch(() => {}),
        async () => statuses.push((await send("http://shop.test/")).status),
      ]);
      assert.deepEqual([statuses, state.asked], [[true, 200], 2]);
    });
  });

  it("hands on what the function throws, and asks it again the next time", async () => {
    let count = 0;
    const send = through(
      bearerAuth(() => {
        count += 1;
        if (count === 1) throw new RangeError("no token today");
        return "token";
      }),
      echo,
    );
    await assert.rejects(send("http://shop.test/"), RangeError);
    assert.equal(await (await send("http://shop.test/")).text(), "Bearer token");
  });

  it("does not send a streamed body twice", async () => {
    const state = { asked: 0, sent: 0 };
    const server = await serve((_request, response) => {
      state.sent += 1;
      response.writeHead(401).end();
    });
    await using _server = server;
    async function* body() {
      yield "once";
    }
    const source = () => `token${(state.asked += 1)}`;
    await using session = new ClientSession({ auth: bearerAuth(source) });
    assert.equal((await session.post(server.url, { body: body() })).status, 401);
    assert.deepEqual(state, { asked: 1, sent: 1 });
    assert.equal((await session.post(server.url, { body: "twice" })).status, 401);
    assert.deepEqual(state, { asked: 2, sent: 3 });
  });
});
