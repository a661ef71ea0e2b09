import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession } from "@meanwhile/http";
import { fixed, gather, now, sleep, timeout } from "meanwhile";
import { runTest } from "meanwhile/testing";

import { HostPauses } from "../src/host-pauses.ts";
import { RetryBudgets } from "../src/retry-budget.ts";
import { serve } from "./servers.ts";

const REQUEST = { method: "GET", url: "http://a.test/" };

describe("A host that has asked for a pause", () => {
  it("is waited for until its time has come, the longest counts", async () => {
    await runTest(async () => {
      const pauses = new HostPauses();
      const started = now();
      pauses.pause("http://a.test", 2_000);
      pauses.pause("http://a.test", 1_000);
      await pauses.wait("http://b.test", REQUEST, Infinity);
      assert.equal(now() - started, 0);
      await gather([
        () => pauses.wait("http://a.test", REQUEST, Infinity),
        async () => {
          await sleep(1_500);
          pauses.pause("http://a.test", 1_000);
        },
      ]);
      assert.equal(now() - started, 2_500);
      assert.equal(pauses.isAnyone, false);
    });
  });

  it("is not waited for longer than for a slot", async () => {
    await runTest(async () => {
      const pauses = new HostPauses();
      pauses.pause("http://a.test", 2_000);
      await assert.rejects(pauses.wait("http://a.test", REQUEST, 500), { code: "MW_ERR_HTTP_POOL_TIMEOUT" });
    });
  });

  it("is forgotten among many", async () => {
    await runTest(async () => {
      const pauses = new HostPauses();
      for (let host = 0; host < 999; host++) pauses.pause(`http://${host}.test`, 1);
      await sleep(2);
      pauses.pause("http://last.test", 1);
      await sleep(2);
      await pauses.wait("http://last.test", REQUEST, Infinity);
      assert.equal(pauses.isAnyone, false);
    });
  });

  it("holds back the requests of a session that have rules, and no others", async () => {
    let count = 0;
    await using server = await serve((_request, response) => {
      count += 1;
      response.writeHead(429, { "retry-after": "60" }).end();
    });
    await using session = new ClientSession({ retry: { attempts: 2, backoff: fixed(0), maxRetryAfterMs: 60_000 } });
    await timeout(50_000, () => session.get(server.url)); // gives up: the wait would be too long
    await assert.rejects(session.get(server.url, { timeouts: { poolMs: 1 } }), { code: "MW_ERR_HTTP_POOL_TIMEOUT" });
    assert.equal(count, 1);
    await session.get(server.url, { retry: false });
    await timeout(50_000, () => session.get(server.url, { retry: { attempts: 2, pauseHost: false } }));
    assert.equal(count, 3);
    assert.equal(session.statistics().inUse, 0);
  });
});

describe("A retry budget", () => {
  it("allows a share of the requests of the last minute, and some in any case", async () => {
    await runTest(async () => {
      const budgets = new RetryBudgets();
      const allowed = (): number => {
        let count = 0;
        while (budgets.mayRetry("http://a.test", { ratio: 0.5, min: 2 })) count += 1;
        return count;
      };
      budgets.requested("http://a.test", {});
      assert.equal(allowed(), 2);
      for (let request = 0; request < 19; request++) budgets.requested("http://a.test", {});
      assert.equal(allowed(), 8);
      await sleep(61_000);
      budgets.requested("http://a.test", {});
      assert.equal(allowed(), 2);
    });
  });

  it("is one for each host, of so many hosts as are in use", () => {
    const budgets = new RetryBudgets();
    for (let host = 0; host < 1_001; host++) budgets.requested(`http://${host}.test`, {});
    assert.equal(budgets.mayRetry("http://0.test", { min: 0 }), true); // forgotten
    assert.equal(budgets.mayRetry("http://1000.test", { min: 0 }), false);
  });

  it("ends the attempts of a session that has used it up", async () => {
    let count = 0;
    await using server = await serve((_request, response) => {
      count += 1;
      response.writeHead(503).end();
    });
    const rules = { attempts: 3, backoff: fixed(0) };
    await using session = new ClientSession({ retry: { ...rules, budget: { ratio: 0, min: 3 } } });
    const attempts: number[] = [];
    for (let call = 0; call < 4; call++) {
      await using response = await session.get(server.url);
      attempts.push(response.attempts);
    }
    assert.deepEqual(attempts, [3, 2, 1, 1]);
    await using response = await session.get(server.url, { retry: { ...rules, budget: false } });
    assert.deepEqual([response.attempts, count], [3, 10]);
  });

  it("has to be one", async () => {
    await using session = new ClientSession();
    for (const budget of [1, null, { ratio: -1 }, { min: 0.5 }, { windowMs: 0 }, { windowMs: Infinity }] as never[]) {
      await assert.rejects(session.get("http://a.test", { retry: { budget } }), {
        code: "MW_ERR_HTTP_INVALID_ARGUMENT",
      });
    }
  });

  it("is left alone by those that try once, if they say so", async () => {
    let count = 0;
    await using server = await serve((_request, response) => {
      count += 1;
      response.writeHead(503, { "retry-after": "60" }).end();
    });
    await using session = new ClientSession({ retry: { attempts: 1, pauseHost: true } });
    const first = await session.get(server.url);
    assert.deepEqual([first.status, first.attempts, count], [503, 1, 1]);
    await assert.rejects(session.get(server.url, { timeouts: { poolMs: 1 } }), { code: "MW_ERR_HTTP_POOL_TIMEOUT" });
    await session.get(server.url, { retry: 1 });
    await session.get(server.url, { retry: { attempts: 1 } });
    assert.equal(count, 3);
  });
});
