// The version of HTTP is the one that was asked for: counted by a server that speaks both.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { cli } from "../support/cli.ts";

const FIXTURES = new URL("../../../http/test/fixtures/", import.meta.url);
const CA = fileURLToPath(new URL("ca.pem", FIXTURES));

describe("meanwhile fetch speaks", () => {
  let server: Http2SecureServer;

  before(async () => {
    const [key, cert] = await Promise.all(
      ["server.key", "server.pem"].map((name) => readFile(new URL(name, FIXTURES))),
    );
    server = createSecureServer({ key, cert, allowHTTP1: true }, (request, response) => {
      response.end(request.httpVersion);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
  });

  after(() => void server.close());

  for (const [words, version] of [
    [[], "1.1"],
    [["--http1"], "1.1"],
    [["--http2"], "2.0"],
  ] as const) {
    it(`HTTP/${version} with ${words[0] ?? "neither of both options"}`, async () => {
      const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
      const { exit, stdout, stderr } = await cli([
        "fetch",
        url,
        "--cacert",
        CA,
        "--resolve",
        "localhost:127.0.0.1",
        ...words,
      ]);
      assert.deepEqual([exit, stdout.trim(), stderr], [0, version, ""]);
    });
  }
});
