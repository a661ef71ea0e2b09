// Lists, cut into lines.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { LineSplitter, MAX_LINE_LENGTH, readLines } from "../../src/fetch/lines.ts";

async function linesOf(...chunks: Uint8Array[]): Promise<string[]> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const texts: string[] = [];
  for await (const batch of readLines(source())) texts.push(...batch.map(({ text }) => text));
  return texts;
}

describe("readLines", () => {
  it("joins what chunks have cut, in the middle of a line or of a character", async () => {
    const bytes = Buffer.from("one\ntwö\nthree");
    for (let at = 0; at <= bytes.length; at++) {
      assert.deepEqual(await linesOf(bytes.subarray(0, at), bytes.subarray(at)), ["one", "twö", "three"]);
    }
  });

  it("drops a byte order mark", async () => {
    assert.deepEqual(await linesOf(Buffer.from("\ufeffone\n")), ["one", ""]);
  });
});

describe("LineSplitter", () => {
  it("keeps only the beginning of a line that is too long, and goes on with the next", () => {
    const splitter = new LineSplitter();
    const lines = [
      ...splitter.push("x".repeat(MAX_LINE_LENGTH)),
      ...splitter.push("x".repeat(10 * MAX_LINE_LENGTH)),
      ...splitter.push("y\nnext\n"),
    ];
    assert.deepEqual(
      lines.map(({ text, isTooLong }) => [text.length < 1_000, isTooLong]),
      [
        [true, true],
        [true, false],
      ],
    );
    assert.equal(lines[1]?.text, "next");
  });

  it("takes a line of exactly the longest length", () => {
    const [line] = new LineSplitter().push(`${"x".repeat(MAX_LINE_LENGTH)}\n`);
    assert.deepEqual([line?.text.length, line?.isTooLong], [MAX_LINE_LENGTH, false]);
  });
});
