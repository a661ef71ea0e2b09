// Both endpoints against the bytes of RFC 6455 and RFC 7692: each case whole, and one byte at a time.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import type { Case } from "./case.ts";
import { closing } from "./closing.ts";
import { compression } from "./compression.ts";
import { type Endpoint, theClient, theServer } from "./echo.ts";
import { framing } from "./framing.ts";
import { play } from "./play.ts";
import { utf8 } from "./utf8.ts";
import { encode } from "./wire.ts";

const SECTIONS: Readonly<Record<string, readonly Case[]>> = { ...framing, ...utf8, ...closing, ...compression };
/** More are too slow one by one. */
const MOST_BYTES_ONE_BY_ONE = 500;

function isShort({ frames }: Case): boolean {
  if (frames.length > 100) return false;
  return Buffer.concat(frames.map((frame) => encode(frame, "client"))).length <= MOST_BYTES_ONE_BY_ONE;
}

function test(endpoint: Endpoint, one: Case, byteByByte: boolean): Promise<void> {
  return endpoint(one, async (wire) => {
    assert.equal(wire.extensions === undefined, one.extensions === undefined, "the extensions are agreed on");
    await play(one, wire, byteByByte);
  });
}

for (const [name, endpoint] of Object.entries({ "the server": theServer, "the client": theClient })) {
  for (const [section, cases] of Object.entries(SECTIONS)) {
    describe(`${name}: ${section}`, () => {
      for (const one of cases) {
        it(one.name, () => test(endpoint, one, false));
        if (isShort(one)) it(`${one.name}; one byte at a time`, () => test(endpoint, one, true));
      }
    });
  }
}
