// The races for everything that hands something over; test/slow/proofs runs a hundred times as many.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, it } from "node:test";

import { onThisHost } from "./figures.ts";
import { HAND_OFFS } from "./hand-off-subjects.ts";
import { proveHandOffs } from "./prove-hand-offs.ts";

proveHandOffs(onThisHost(10_000), 60_000);

const SYNC = new URL("../../src/sync/", import.meta.url);

describe("The table of hand-offs", () => {
  it("has a row for every primitive", async () => {
    const rows = new Set(Object.keys(HAND_OFFS).map((call) => call.split(".")[0]));
    const api: Record<string, unknown> = await import("meanwhile");
    for (const file of readdirSync(SYNC)) {
      const exported = Object.entries((await import(new URL(file, SYNC).href)) as Record<string, unknown>);
      for (const [name, value] of exported) {
        // What is no class of the public API is how one of them is made.
        const isPrimitive = api[name] === value && /^class\b/.test(String(value));
        if (isPrimitive) assert.ok(rows.has(name), `test/proofs/hand-off-subjects.ts has no row for ${name}`);
      }
    }
  });
});
