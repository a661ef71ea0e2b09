import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { moved } from "meanwhile/workers";

import { threads } from "./pools.ts";

describe("a buffer that was marked to be moved and never sent", () => {
  it("costs later calls nothing, once it is gone", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const probe = { reads: 0 };
    const counted = {
      get value(): number {
        probe.reads += 1;
        return 1;
      },
    };
    (() => moved(new Uint8Array(8)))();
    await using pool = threads();
    const readsOfCall = async (): Promise<number> => {
      probe.reads = 0;
      await pool.call("echo", counted);
      return probe.reads;
    };
    for (let round = 0; round < 100 && (await readsOfCall()) > 1; round++) collect();
    assert.equal(await readsOfCall(), 1);
  });
});
