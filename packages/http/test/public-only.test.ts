import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession, ConnectError } from "@meanwhile/http";

import { serve } from "./servers.ts";

/** The computer itself, and the metadata service of clouds, as somebody might write them to get past a check. */
const SPELLINGS = [
  "127.0.0.1",
  "127.1",
  "127.0.1",
  "127.255.255.254",
  "2130706433",
  "0x7f000001",
  "0x7f.1",
  "0x7F.0.0.0x1",
  "017700000001",
  "0177.0.0.1",
  "0177.0x0.0.01",
  "127.0.0.1.",
  "%31%32%37.0.0.1",
  "１２７.0.0.1",
  "①②⑦.0.0.1",
  "127。0。0。1",
  "0",
  "0.0.0.0",
  "0x0",
  "00000",
  "[::]",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[0000:0000::0001]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::FFFF:7F00:0001]",
  "[0:0:0:0:0:ffff:127.0.0.1]",
  "[::127.0.0.1]",
  "[64:ff9b::127.0.0.1]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b:1::7f00:1]",
  "[2002:7f00:1::]",
  "[2001:0:7f00:1::1]",
  "169.254.169.254",
  "2852039166",
  "0xa9fea9fe",
  "0251.0376.0251.0376",
  "169.254.43518",
  "[::ffff:169.254.169.254]",
  "[::ffff:a9fe:a9fe]",
  "[64:ff9b::a9fe:a9fe]",
  "[2002:a9fe:a9fe::1]",
  "[fd00:ec2::254]",
  "[fe80::a9fe:a9fe]",
];

/** One address of each other network that is not public. */
const OTHERS = [
  "10.0.0.1",
  "100.64.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.1",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.0.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "240.0.0.1",
  "255.255.255.255",
  "fc00::1",
  "fe80::1",
  "ff02::1",
  "2001:db8::1",
  "2001:2::1",
  "2001:10::1",
  "3fff::1",
  "2002:808:808::1",
  "::ffff:10.0.0.1",
  "64:ff9b::192.168.0.1",
  "5f00::1",
  "100::1",
];

const PUBLIC = [
  "1.1.1.1",
  "8.8.8.8",
  "100.63.255.255",
  "172.32.0.1",
  "198.20.0.1",
  "223.255.255.255",
  "2606:4700::1111",
  "2a00:1450:4001::1",
  "::ffff:8.8.8.8",
  "64:ff9b::808:808",
];

const refused = { name: "ConnectError", code: "MW_ERR_HTTP_ADDRESS_REFUSED" };

describe("publicOnly (C4)", () => {
  it("refuses every spelling of loopback and of the metadata service", async () => {
    await using server = await serve((_request, response) => response.end("secret"));
    await using session = new ClientSession({ publicOnly: true });
    assert.ok(SPELLINGS.length >= 40);
    for (const host of SPELLINGS) {
      await assert.rejects(session.get(`http://${host}:${server.port}/`), refused, host);
      await assert.rejects(session.get(`https://${host}:${server.port}/`), refused, host);
    }
    assert.equal(server.sockets.length, 0);
    assert.deepEqual([session.statistics().inUse, session.statistics().idle], [0, 0]);
  });

  it("refuses names that lead to any network that is not public", async () => {
    await using server = await serve((_request, response) => response.end("secret"));
    for (const address of [...OTHERS, "127.0.0.1", "::1"]) {
      await using session = new ClientSession({ publicOnly: true, dns: { lookup: () => address } });
      await assert.rejects(session.get(`http://some.test:${server.port}/`), refused, address);
      await using known = new ClientSession({ publicOnly: true, dns: { resolve: { "some.test": address } } });
      await assert.rejects(known.get(`http://some.test:${server.port}/`), refused, address);
    }
    await using session = new ClientSession({ publicOnly: true });
    await assert.rejects(session.get(`http://localhost:${server.port}/`), refused);
    assert.equal(server.sockets.length, 0);
  });

  it("says which address of which host, and tries nothing twice", async () => {
    await using session = new ClientSession({
      publicOnly: true,
      retry: { attempts: 3, backoff: () => 1 },
      dns: { lookup: () => ["10.0.0.7", "127.0.0.1"] },
    });
    await assert.rejects(session.get("http://some.test/"), (error: unknown) => {
      assert.ok(error instanceof ConnectError);
      assert.match(error.message, /does not allow the address 10\.0\.0\.7 of the host some\.test/);
      assert.equal(error.attempts, 1);
      return true;
    });
  });

  it("lets what is public through, and a function of the user decide by itself", async () => {
    await using server = await serve((_request, response) => response.end("fine"));
    const seen: unknown[] = [];
    const publicOnly = (address: string, family: 4 | 6, hostname: string): boolean => {
      seen.push([address, family, hostname]);
      return address === "127.0.0.1";
    };
    const lookup = (): string[] => ["::1", "127.0.0.2", "127.0.0.1"];
    await using session = new ClientSession({ publicOnly, dns: { lookup } });
    assert.equal(await (await session.get(`http://some.test:${server.port}/`)).text(), "fine");
    assert.deepEqual(seen.slice(0, 3), [
      ["::1", 6, "some.test"],
      ["127.0.0.2", 4, "some.test"],
      ["127.0.0.1", 4, "some.test"],
    ]);
    // Once more for the socket itself.
    assert.deepEqual(seen.slice(3), [["127.0.0.1", 4, "some.test"]]);
    assert.equal(await (await session.get(`http://127.0.0.1:${server.port}/`)).text(), "fine");
    await assert.rejects(session.get(`http://127.0.0.2:${server.port}/`), refused);
  });

  it("takes anything but true for a no, an error too", async () => {
    const failure = new RangeError("mine");
    const throwing = (): never => {
      throw failure;
    };
    for (const publicOnly of [throwing, () => "yes" as never]) {
      await using session = new ClientSession({ publicOnly, dns: { lookup: () => "127.0.0.1" } });
      await assert.rejects(session.get("http://some.test/"), refused);
      await assert.rejects(session.get("http://127.0.0.1/"), refused);
    }
    await using session = new ClientSession({ publicOnly: throwing });
    await assert.rejects(session.get("http://127.0.0.1/"), { cause: failure });
  });

  it("connects to the very address it has checked, wherever the name leads next", async () => {
    await using server = await serve((_request, response) => response.end("secret"));
    let count = 0;
    // Leads to where it may the first time, elsewhere the second, and back. Nobody listens where it may.
    const lookup = (): string => {
      count += 1;
      return count % 2 === 1 ? "127.0.0.7" : "127.0.0.1";
    };
    const allowed = (address: string): boolean => address === "127.0.0.7";
    await using session = new ClientSession({ publicOnly: allowed, dns: { lookup, ttlMs: 0 } });
    const codes: unknown[] = [];
    for (let index = 0; index < 4; index += 1) {
      await session.get(`http://some.test:${server.port}/`).catch((error: ConnectError) => codes.push(error.code));
    }
    assert.equal(server.sockets.length, 0);
    const [no, yes] = ["MW_ERR_HTTP_ADDRESS_REFUSED", "MW_ERR_HTTP_CONNECT"];
    assert.deepEqual(codes, [yes, no, yes, no]);
  });

  it("is checked again at each hop of a redirect", async () => {
    await using inner = await serve((_request, response) => response.end("secret"));
    await using outer = await serve((request, response) => {
      const host = request.url === "/name" ? "inner.test" : "127.0.0.3";
      response.writeHead(302, { location: `http://${host}:${inner.port}/` }).end();
    });
    const publicOnly = (address: string): boolean => address === "127.0.0.1";
    await using session = new ClientSession({ publicOnly, dns: { lookup: () => "127.0.0.2" } });
    for (const path of ["/name", "/address", "/name"]) {
      await assert.rejects(session.get(`${outer.url}${path}`), refused);
    }
    assert.equal(inner.sockets.length, 0);
    assert.equal(outer.sockets.length, 1);
  });

  it("knows what is public", async () => {
    const { isPublic } = await import("../src/addresses.ts");
    for (const address of PUBLIC) assert.equal(isPublic(address), true, address);
    for (const address of OTHERS) assert.equal(isPublic(address), false, address);
    for (const address of ["", "some.test", "fe80::1%lo", "2606:4700::1111%lo"]) assert.equal(isPublic(address), false);
  });

  it("is a boolean or a function", () => {
    for (const publicOnly of ["yes", 1, null]) {
      assert.throws(() => new ClientSession({ publicOnly: publicOnly as never }), {
        code: "MW_ERR_HTTP_INVALID_ARGUMENT",
      });
    }
  });
});
