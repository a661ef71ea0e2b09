import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, it } from "node:test";

import { ClientSession } from "@meanwhile/http";
import { cancelScope, gather, moveOnAfter, sleep } from "meanwhile";

import { DnsCache } from "../src/dns.ts";
import { serve } from "./servers.ts";

const ok = () => serve((request, response) => response.end(request.headers.host));

describe("the option dns", () => {
  it("asks once for all who wait, and remembers the answer for a while", async () => {
    await using server = await ok();
    const asked: string[] = [];
    const lookup = async (hostname: string): Promise<string> => {
      asked.push(hostname);
      await sleep(2);
      return "127.0.0.1";
    };
    await using session = new ClientSession({ dns: { lookup }, keepAlive: false });
    const get = async (): Promise<string> => (await session.get(`http://some.test:${server.port}/`)).text();
    await gather([get, get, get, get, get]);
    await get();
    assert.deepEqual(asked, ["some.test"]);
    assert.deepEqual(session.statistics().dnsCache, { entries: 1, hits: 5, misses: 1 });
  });

  it("asks again when the time is over, or for each connection if there is none", async () => {
    await using server = await ok();
    for (const [ttlMs, least] of [
      [0, 4],
      [4, 2],
    ] as const) {
      let count = 0;
      const lookup = (): string[] => {
        count += 1;
        return ["127.0.0.1"];
      };
      await using session = new ClientSession({ dns: { lookup, ttlMs }, keepAlive: false });
      for (let index = 0; index < 4; index += 1) {
        await (await session.get(`http://some.test:${server.port}/`)).text();
        await sleep(3);
      }
      assert.ok(count >= least, `${count} lookups with ttlMs ${ttlMs}`);
    }
  });

  it("forgets the oldest host when there are too many", async () => {
    await using server = await ok();
    const asked: string[] = [];
    const lookup = (hostname: string): string => {
      asked.push(hostname);
      return "127.0.0.1";
    };
    await using session = new ClientSession({ dns: { lookup, maxEntries: 2 }, keepAlive: false });
    for (const name of ["a", "b", "a", "c", "b", "a"])
      await (await session.get(`http://${name}:${server.port}/`)).text();
    assert.deepEqual(asked, ["a", "b", "c", "a"]);
    assert.equal(session.statistics().dnsCache?.entries, 2);
  });

  it("does not lose a lookup when one of those who wait for it is cancelled", async () => {
    await using server = await ok();
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<string>();
    let count = 0;
    const lookup = (): Promise<string> => {
      count += 1;
      asked.resolve();
      return answer.promise;
    };
    await using session = new ClientSession({ dns: { lookup } });
    const url = `http://some.test:${server.port}/`;
    const impatient = async (): Promise<void> => {
      await cancelScope(async (scope) => {
        asked.promise.then(
          () => scope.cancel("enough"),
          () => {},
        );
        await session.get(url);
      });
      answer.resolve("127.0.0.1");
    };
    const [, response] = await gather([impatient, () => session.get(url)] as const);
    assert.equal(await response.text(), `some.test:${server.port}`);
    assert.equal(count, 1);
    assert.equal(server.sockets.length, 1);
  });

  it("leaves nothing behind when the only one who waits is cancelled", async () => {
    const answer = Promise.withResolvers<string>();
    await using server = await ok();
    await using session = new ClientSession({ dns: { lookup: () => answer.promise } });
    await moveOnAfter(3, () => session.get(`http://some.test:${server.port}/`));
    assert.equal(session.statistics().inUse, 0);
    answer.resolve("127.0.0.1");
    await sleep(2);
    assert.equal(server.sockets.length, 0);
  });

  it("tries the addresses in turn until one connects", async () => {
    await using server = await ok();
    const lookup = (): string[] => ["::1", "127.0.0.2", "127.0.0.1"];
    await using session = new ClientSession({ dns: { lookup } });
    // The server listens on 127.0.0.1 only.
    assert.equal(await (await session.get(`http://some.test:${server.port}/`)).text(), `some.test:${server.port}`);
  });

  it("uses only addresses of the family that is wanted", async () => {
    await using server = await ok();
    const lookup = (): string[] => ["::1", "127.0.0.1"];
    const url = `http://some.test:${server.port}/`;
    await using session = new ClientSession({ dns: { lookup, family: 4 } });
    assert.equal((await session.get(url)).status, 200);
    await using none = new ClientSession({ dns: { lookup: () => "127.0.0.1", family: 6 } });
    await assert.rejects(none.get(url), { code: "MW_ERR_HTTP_DNS", message: /no address of family 6/ });
  });

  it("takes the addresses of resolve, for a host or for one port of it, without a lookup", async () => {
    await using server = await ok();
    const lookup = (): never => assert.fail("was looked up");
    const resolve = { "Some.test": "127.0.0.9", [`some.test:${server.port}`]: "127.0.0.1", "other.test": "127.0.0.1" };
    await using session = new ClientSession({ dns: { lookup, resolve } });
    for (const host of ["some.test", "other.test"]) {
      const response = await session.get(`http://${host}:${server.port}/`);
      assert.equal(await response.text(), `${host}:${server.port}`);
    }
  });

  it("reports a lookup that fails, and forgets the failure", async () => {
    await using server = await ok();
    const failure = Object.assign(new RangeError("mine"), { code: "EAI_AGAIN" });
    let count = 0;
    const lookup = (): string => {
      count += 1;
      if (count === 1) throw failure;
      return "127.0.0.1";
    };
    await using session = new ClientSession({ dns: { lookup } });
    const url = `http://some.test:${server.port}/`;
    await assert.rejects(session.get(url), { name: "ConnectError", code: "MW_ERR_HTTP_DNS", cause: failure });
    assert.equal((await session.get(url)).status, 200);
  });

  it("refuses what is no address", async () => {
    for (const answer of [[], "some.test", ["127.0.0.1", "x"], null, 7, ["fe80::1%lo", 1]]) {
      await using session = new ClientSession({ dns: { lookup: () => answer as never } });
      await assert.rejects(session.get("http://some.test:1/"), { code: "MW_ERR_HTTP_DNS" }, JSON.stringify(answer));
    }
  });

  it("asks the name servers it is given", async () => {
    await using server = await ok();
    await using names = await nameServer({ "some.test": [127, 0, 0, 1] });
    await using session = new ClientSession({ dns: { servers: [`127.0.0.1:${names.port}`] } });
    assert.equal((await session.get(`http://some.test:${server.port}/`)).status, 200);
    await assert.rejects(session.get(`http://none.test:${server.port}/`), { code: "MW_ERR_HTTP_DNS" });
  });

  it("is checked before anything is sent", () => {
    const wrong: ReadonlyArray<object> = [
      { lookup: "127.0.0.1" },
      { lookup: () => "127.0.0.1", servers: ["127.0.0.1"] },
      { ttlMs: -1 },
      { ttlMs: Number.NaN },
      { maxEntries: 0 },
      { family: 5 },
      { servers: [] },
      { servers: ["some.test"] },
      { resolve: { "some.test": "other.test" } },
      { resolve: 7 },
    ];
    for (const dns of wrong) {
      assert.throws(() => new ClientSession({ dns }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" }, JSON.stringify(dns));
    }
  });
});

/** Answers questions for A; for everything else it has nothing. */
async function nameServer(hosts: Readonly<Record<string, number[]>>): Promise<AsyncDisposable & { port: number }> {
  const socket = createSocket("udp4");
  socket.on("message", (question, from) => socket.send(answerTo(question, hosts), from.port, from.address));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
}

function answerTo(question: Buffer, hosts: Readonly<Record<string, number[]>>): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  const isIpv4 = question.readUInt16BE(at + 1) === 1;
  const address = isIpv4 ? hosts[labels.join(".")] : undefined;
  const head = Buffer.from(question.subarray(0, 12));
  head.writeUInt16BE(address === undefined ? 0x8183 : 0x8180, 2);
  head.writeUInt16BE(address === undefined ? 0 : 1, 6);
  head.writeUInt32BE(0, 8);
  const asked = question.subarray(12, at + 5);
  if (address === undefined) return Buffer.concat([head, asked]);
  return Buffer.concat([head, asked, Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address])]);
}

describe("A lookup that never ends", () => {
  it("is not joined for ever: after 10 s another one is begun", async (context) => {
    let time = 0;
    context.mock.method(performance, "now", () => time);
    let asked = 0;
    const cache = new DnsCache({
      lookup: () => {
        asked += 1;
        return new Promise<never>(() => {});
      },
    });
    const ask = async (): Promise<void> => {
      cache.find("a.test", () => assert.fail("nothing was found"));
      await new Promise(setImmediate);
    };
    await ask();
    time = 9_999;
    await ask();
    assert.equal(asked, 1);
    time = 10_000;
    await ask();
    assert.equal(asked, 2);
  });
});
