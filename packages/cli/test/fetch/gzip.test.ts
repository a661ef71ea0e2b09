// Packed lists.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";

import { unpacked } from "../../src/fetch/gzip.ts";

async function textOf(...chunks: Uint8Array[]): Promise<string> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const parts: Uint8Array[] = [];
  for await (const part of unpacked(source())) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe("a list", () => {
  it("is unpacked if it is gzip, however it is cut", async () => {
    const bytes = gzipSync("one\ntwo\n");
    for (let at = 0; at <= bytes.length; at++) {
      assert.equal(await textOf(bytes.subarray(0, at), bytes.subarray(at)), "one\ntwo\n");
    }
  });

  it("is read on where one gzip follows another", async () => {
    assert.equal(await textOf(Buffer.concat([gzipSync("one\n"), gzipSync("two\n")])), "one\ntwo\n");
  });

  it("stays as it is if it is not, also if it is one byte or none", async () => {
    for (const text of ["http://a/\n", "\u001f", ""]) assert.equal(await textOf(Buffer.from(text)), text);
  });

  it("is an error if it is cut off or damaged", async () => {
    const bytes = gzipSync("x".repeat(1_000));
    await assert.rejects(textOf(bytes.subarray(0, bytes.length - 9)));
    await assert.rejects(textOf(Buffer.concat([bytes.subarray(0, 10), Buffer.from("nonsense")])));
  });

  it("is an error if it is a bomb, found out in constant memory", async () => {
    const block = gzipSync(Buffer.alloc(32 * 1024 * 1024));
    const count = { bytes: 0 };
    async function* source(): AsyncGenerator<Uint8Array> {
      for (;;) yield block;
    }
    await assert.rejects(async () => {
      for await (const part of unpacked(source())) count.bytes += part.length;
    }, /unpacks to more than 300 times/);
    assert.ok(count.bytes < 300 * 1024 * 1024);
  });
});
