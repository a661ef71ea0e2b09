// One URL on the command line: its body, as curl prints it.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { cli } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

describe("a single URL", () => {
  it("has its body printed, and nothing else", async () => {
    await using server = await TestServer.start();
    const { exit, stdout, stderr } = await cli(["fetch", `${server.origin}/ok/1`]);
    assert.deepEqual([exit, stdout, stderr], [0, "body of /ok/1", ""]);
  });

  it("has an error on stderr, and no body, if it fails", async () => {
    await using server = await TestServer.start();
    const { exit, stdout, stderr } = await cli(["fetch", `${server.origin}/status/404`]);
    assert.deepEqual([exit, stdout, stderr], [1, "", "meanwhile: http_4xx: the server answered 404\n"]);
  });

  it("is not asked again once a part of its body is printed", async () => {
    await using server = await TestServer.start();
    const { exit, stdout, stderr } = await cli(["fetch", `${server.origin}/short/1`]);
    assert.deepEqual([exit, stdout, server.seen.length], [1, "too short", 1]);
    assert.match(stderr, /^meanwhile: incomplete: /);
  });

  it("is tried again as long as nothing is printed", async () => {
    await using server = await TestServer.start();
    const { exit, stdout } = await cli(["fetch", `${server.origin}/once/1`]);
    assert.deepEqual([exit, stdout, server.seen.length], [0, "ok", 2]);
  });

  it("has its bytes passed on as they are where stdout is no terminal", async () => {
    await using server = await TestServer.start();
    const { stdout } = await cli(["fetch", `${server.origin}/evil`]);
    assert.equal(stdout, "\u001b]0;evil\u0007\u202e");
  });

  it("has a record if anything about records is said", async () => {
    await using server = await TestServer.start();
    for (const args of ["--format jsonl", "--fields url,ok", "--ordered", "--body text", "--sha256"]) {
      const { records } = await cli(["fetch", `${server.origin}/ok/1`, ...args.split(" ")]);
      assert.equal(records[0]?.ok, true, args);
    }
  });
});
