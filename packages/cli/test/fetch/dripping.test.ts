// Bodies that never end.

import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { cli } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

const ONCE = "--retries 0 --timeout 300ms".split(" ");

describe("meanwhile fetch --timeout", () => {
  it("ends a body that is only counted, and one that is printed", { timeout: 20_000 }, async () => {
    await using server = await TestServer.start();
    const url = `${server.origin}/drip/200`;
    const counted = await cli(["fetch", "-", ...ONCE], { input: `${url}/1\n${url}/2\n` });
    assert.deepEqual(
      counted.records.map(({ error }) => error?.code),
      ["timeout", "timeout"],
    );
    assert.equal(counted.records[0]?.error?.message, "the body was not complete in time");
    const printed = await cli(["fetch", url, ...ONCE]);
    assert.equal(printed.exit, 1);
  });

  it("ends the body of a status that is not ok, with -o and with --resume", { timeout: 20_000 }, async () => {
    await using server = await TestServer.start();
    const directory = await mkdtemp(join(tmpdir(), "meanwhile-dripping-"));
    try {
      for (const more of [[], ["--resume"]]) {
        const { records } = await cli(["fetch", `${server.origin}/drip/404`, "-o", directory, ...ONCE, ...more]);
        assert.deepEqual([records[0]?.error?.code, records[0]?.status], ["timeout", 404]);
      }
      assert.deepEqual(await readdir(directory), []);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
