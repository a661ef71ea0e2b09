import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

import { lineOf, type Place, placeOfCall } from "../src/member.ts";

const MOST = 1_000_000;

/** As a call of the pool does it: its caller is who is noted. */
function acquire(): Place {
  return placeOfCall();
}

/** Acquires until a place is not noted any more: it is the same for all of these. */
function unnoted(): Place {
  let place = acquire();
  for (let count = 0; count < MOST; count++) {
    const next = acquire();
    if (next === place) return place;
    place = next;
  }
  return place;
}

describe("The place of an acquire", () => {
  it("is the line that called", () => {
    assert.match(lineOf(acquire()), /place-of-call\.test\.ts:\d+:\d+/);
  });

  it("is noted no more than 100 000 times a second, and says so where it is not", () => {
    assert.match(
      lineOf(unnoted()),
      /^a place that was not noted \(more than 100 000 acquires a second; MEANWHILE_DEBUG=1/,
    );
  });

  it("is noted again a moment later", async () => {
    unnoted();
    for (let tries = 0; !lineOf(acquire()).includes("place-of-call.test.ts"); tries++) {
      assert.ok(tries < MOST);
      await turn();
    }
  });
});
