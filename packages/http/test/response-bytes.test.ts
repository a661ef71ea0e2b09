import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { decodeText } from "../src/response-bytes.ts";

/** Where UTF-8 goes wrong: ends and beginnings of every range of its bytes. */
const EDGES = [
  0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xee, 0xef, 0xf0,
  0xf1, 0xf4, 0xf5, 0xff, 0xbb,
];

describe("the text of a body", () => {
  it("is that of a TextDecoder, for a whole body, for pieces, and for bytes that are no UTF-8", () => {
    const decoder = new TextDecoder();
    for (const first of EDGES) {
      for (const second of EDGES) {
        for (const third of EDGES) {
          const bytes = Buffer.from([first, second, third, 0x41]);
          const isOther = (first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe);
          if (isOther) continue;
          const expected = decoder.decode(bytes);
          assert.equal(decodeText([bytes], undefined), expected, bytes.toString("hex"));
          assert.equal(
            decodeText([bytes.subarray(0, 1), bytes.subarray(1)], undefined),
            expected,
            bytes.toString("hex"),
          );
        }
      }
    }
  });

  it("has no byte order mark, and is empty where nothing came", () => {
    assert.equal(decodeText([Buffer.from("\ufeffhé")], undefined), "hé");
    assert.equal(decodeText([], undefined), "");
  });
});
