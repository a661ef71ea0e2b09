import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { MessageSplitter } from "../src/message-splitter.ts";

/** A message with its header. */
function message(code: string, body: string): Buffer {
  const header = Buffer.alloc(5);
  header.write(code);
  header.writeInt32BE(4 + Buffer.byteLength(body), 1);
  return Buffer.concat([header, Buffer.from(body)]);
}

const STREAM = Buffer.concat([
  message("2", ""),
  message("D", "..one"),
  message("D", "..two"),
  message("N", "notice"),
  message("D", "..three"),
  message("C", "SELECT 3"),
  message("Z", "I"),
]);
const EXPECTED = ["2", "row one", "row two", "N", "row three", "C", "Z"];

/** Everything in the order it is handed over, for a stream in pieces of some size. */
function handedOver(size: number, hasTarget: boolean): string[] {
  const seen: string[] = [];
  const splitter = new MessageSplitter((bytes) => {
    for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1))
      seen.push(bytes.toString("latin1", at, at + 1));
  });
  if (hasTarget) {
    const words = ["one", "two", "three"];
    splitter.target = {
      handleParameters: () => {},
      handleRow: (bytes, at) => {
        const word = words.shift() ?? "";
        assert.equal(bytes.toString("latin1", at, at + word.length), word);
        seen.push(`row ${word}`);
      },
    };
  }
  for (let at = 0; at < STREAM.length; at += size) splitter.push(STREAM.subarray(at, at + size));
  return seen;
}

describe("a splitter of messages", () => {
  it("hands rows and the rest over in order, in whatever pieces they come", () => {
    for (let size = 1; size <= STREAM.length; size += 1) {
      assert.deepEqual(handedOver(size, true), EXPECTED, `in pieces of ${size}`);
    }
  });

  it("leaves the rows to pg while nobody takes them", () => {
    assert.deepEqual(handedOver(7, false), ["2", "D", "D", "N", "D", "C", "Z"]);
  });

  it("gives a row to the one who was named by what came before it", () => {
    const seen: string[] = [];
    const splitter = new MessageSplitter((bytes) => {
      if (bytes.includes("T")) splitter.target = { handleRow: () => seen.push("row"), handleParameters: () => {} };
    });
    splitter.push(Buffer.concat([message("D", "..for pg"), message("T", "columns"), message("D", "..ours")]));
    assert.deepEqual(seen, ["row"]);
  });

  it("refuses lengths that no server sends, before it waits for as much", () => {
    for (const length of [0, 3, -1, 0x7f_ff_ff_ff]) {
      const bytes = Buffer.from("D0000");
      bytes.writeInt32BE(length, 1);
      const splitter = new MessageSplitter(() => {});
      assert.throws(() => splitter.push(bytes), { code: "MW_ERR_PG_PROTOCOL" });
    }
  });
});
