import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession, HttpError } from "@meanwhile/http";
import { cancelScope, exponential, fixed, timeout } from "meanwhile";

import { expectWarning } from "../../../tools/test-setup.ts";
import { deadUrl, serve, serveRaw } from "./servers.ts";

const QUICK = { attempts: 3, backoff: fixed(0) };

/** Answers with these statuses in turn, the last one for ever. Counts. */
async function answeringWith(statuses: ReadonlyArray<number>, headers: Record<string, string> = {}) {
  const times: number[] = [];
  const server = await serve((_request, response) => {
    const status = statuses[Math.min(times.length, statuses.length - 1)] ?? 200;
    times.push(performance.now());
    response.writeHead(status, status === 200 ? {} : headers).end(`attempt ${times.length}`);
  });
  return { url: server.url, times, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe("retry (C16)", () => {
  it("is off by default", async () => {
    await using server = await answeringWith([503, 200]);
    await using session = new ClientSession();
    const response = await session.get(server.url);
    assert.deepEqual([response.status, response.attempts, server.times.length], [503, 1, 1]);
    await assert.rejects(session.get(await deadUrl()), { attempts: 1 });
  });

  it("tries again for the statuses that may pass, and only for those", async () => {
    await using session = new ClientSession({ retry: QUICK });
    for (const status of [408, 425, 429, 500, 502, 503, 504, 521, 522, 524]) {
      await using server = await answeringWith([status, status, 200]);
      const response = await session.get(server.url);
      assert.deepEqual([response.status, response.attempts, await response.text()], [200, 3, "attempt 3"]);
    }
    for (const status of [400, 401, 404, 501]) {
      await using server = await answeringWith([status]);
      assert.equal((await session.get(server.url)).attempts, 1);
    }
    assert.equal(session.statistics().inUse, 0);
  });

  it("gives the last answer as it is, or raises it with the number of attempts", async () => {
    await using server = await answeringWith([503]);
    await using session = new ClientSession({ retry: QUICK });
    const response = await session.get(server.url);
    assert.deepEqual([response.status, response.attempts, await response.text()], [503, 3, "attempt 3"]);
    await assert.rejects(session.get(server.url, { raiseForStatus: true, retry: { ...QUICK, attempts: 2 } }), {
      code: "MW_ERR_HTTP_STATUS",
      attempts: 2,
    });
  });

  it("tries again when no connection can be made or it breaks", async () => {
    await using session = new ClientSession({ retry: QUICK });
    await assert.rejects(session.get(await deadUrl()), { code: "MW_ERR_HTTP_CONNECT", attempts: 3 });
    await using breaking = await serveRaw((socket, index) => {
      if (index < 2) socket.destroy();
      else socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    });
    const response = await session.get(breaking.url);
    assert.deepEqual([await response.text(), response.attempts], ["ok", 3]);
    assert.equal(session.statistics().inUse, 0);
  });

  it("tries only idempotent methods, unless told otherwise", async () => {
    await using session = new ClientSession({ retry: QUICK });
    for (const [method, attempts] of Object.entries({
      GET: 3,
      HEAD: 3,
      PUT: 3,
      DELETE: 3,
      OPTIONS: 3,
      POST: 1,
      PATCH: 1,
    })) {
      await using server = await answeringWith([500]);
      assert.equal((await session.request(method, server.url)).attempts, attempts, method);
    }
    await using server = await answeringWith([500, 200]);
    const told = await session.post(server.url, { retry: { ...QUICK, methods: ["POST"] }, body: "again" });
    assert.deepEqual([told.status, told.attempts], [200, 2]);
  });

  it("never sends a stream twice", async () => {
    await using server = await answeringWith([500]);
    await using session = new ClientSession({ retry: QUICK });
    async function* body() {
      yield "once";
    }
    assert.equal((await session.put(server.url, { body: body() })).attempts, 1);
    assert.equal(server.times.length, 1);
  });

  it("waits at least as long as Retry-After says, in seconds or as a date", async () => {
    await using session = new ClientSession();
    const inOneMinute = new Date(Date.now() + 60_000).toUTCString();
    const past = new Date(Date.now() - 60_000).toUTCString();
    for (const [asked, least] of Object.entries({
      7: 7_000,
      0: 0,
      [inOneMinute]: 58_000,
      [past]: 0,
      nonsense: 0,
      "-5": 0,
    })) {
      await using server = await answeringWith([429, 200], { "retry-after": asked });
      let waited = -1;
      await cancelScope((scope) => {
        const onRetry = ({ delayMs }: { delayMs: number }): void => {
          waited = delayMs;
          if (delayMs > 0) scope.cancel(); // not to wait for real
        };
        return session.get(server.url, { retry: { ...QUICK, onRetry } });
      });
      assert.ok(waited >= least && waited <= least + 2_000, `${asked}: ${waited}`);
    }
  });

  it("gives up if Retry-After is beyond maxRetryAfterMs, totalMs or the deadline of the scope", async () => {
    await using server = await answeringWith([429], { "retry-after": "60" });
    await using session = new ClientSession();
    const rules = { ...QUICK, pauseHost: false };
    const answers = [
      await session.get(server.url, { retry: { ...rules, maxRetryAfterMs: 59_999 } }),
      await session.get(server.url, { retry: { ...rules, totalMs: 59_000 } }),
      await timeout(59_000, () => session.get(server.url, { retry: rules })),
    ];
    for (const answer of answers) assert.deepEqual([answer.status, answer.attempts], [429, 1]);
    assert.equal(await answers[0]?.text(), "attempt 1");
    assert.equal(server.times.length, 3);
  });

  it("ends when totalMs, or the scope, leaves no room for the next wait", async () => {
    await using server = await answeringWith([503]);
    await using session = new ClientSession();
    const started = performance.now();
    const total = await session.get(server.url, { retry: { attempts: 9, backoff: fixed(60_000), totalMs: 1_000 } });
    const scoped = await timeout(1_000, () =>
      session.get(server.url, { retry: { attempts: 9, backoff: fixed(60_000) } }),
    );
    assert.deepEqual([total.attempts, scoped.attempts, server.times.length], [1, 1, 2]);
    assert.ok(performance.now() - started < 1_000);
    assert.equal(await total.text(), "attempt 1");
  });

  it("ends the only attempt after totalMs too", async () => {
    await using server = await serve(() => {});
    await using session = new ClientSession();
    for (const pauseHost of [undefined, true]) {
      const retry = { attempts: 1, totalMs: 10, pauseHost };
      await assert.rejects(session.get(server.url, { retry }), { name: "TimeoutError", code: "MW_ERR_TIMEOUT" });
    }
    assert.equal(session.statistics().inUse, 0);
  });

  it("lets 'when' refuse, and tells 'onRetry' of each wait", async () => {
    await using server = await answeringWith([503]);
    await using session = new ClientSession();
    const asked: string[] = [];
    const told: number[] = [];
    const response = await session.get(server.url, {
      retry: {
        attempts: 9,
        backoff: exponential({ baseMs: 1, random: () => 0 }),
        when: (error, attempt) => {
          asked.push(error.code);
          return attempt < 3;
        },
        onRetry: ({ attempt }) => told.push(attempt),
      },
    });
    assert.deepEqual([response.attempts, asked.length, told], [3, 3, [1, 2]]);
    // What the attempt has failed with is told beside what is thrown.
    await using warnings = expectWarning("MW_WARN_SUPPRESSED");
    const failing = session.get(server.url, {
      retry: {
        ...QUICK,
        when: () => {
          throw new HttpErrorLike();
        },
      },
    });
    await assert.rejects(failing, HttpErrorLike);
    assert.match((await warnings.first()).message, /beside it there was StatusError/);
    assert.equal(session.statistics().inUse, 0);
  });

  it("never retries a cancellation", async () => {
    await using server = await serve(() => {});
    await using session = new ClientSession({ retry: { attempts: Infinity, backoff: fixed(0) } });
    await cancelScope(async (scope) => {
      // Once it has been asked: on a busy machine that takes longer than any timeout one would choose.
      const asked = setInterval(() => {
        if (server.sockets.length > 0) scope.cancel();
      }, 1);
      await session.get(server.url).finally(() => clearInterval(asked));
    });
    assert.equal(server.sockets.length, 1);
  });

  it("gives each attempt its own timeouts", async () => {
    await using server = await serve(() => {});
    await using session = new ClientSession({ retry: QUICK, timeouts: { idleMs: 4 } });
    await assert.rejects(
      session.get(server.url),
      (error) => error instanceof HttpError && error.attempts === 3 && error.code === "MW_ERR_HTTP_IDLE_TIMEOUT",
    );
    await server.allClosed();
    assert.equal(server.sockets.length, 3);
  });
});

class HttpErrorLike extends Error {}
