// Reasons to stop that come one after the other.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { run, sleep, taskGroup } from "meanwhile";

import { StopSwitch } from "../../src/fetch/stop.ts";

const SIGNAL = { by: "SIGINT", exitCode: 130, graceMs: 60_000 };
const DEADLINE = { by: "--deadline", exitCode: 124, graceMs: 0 };

describe("a reason to stop", () => {
  it("may leave less time than an earlier one, and is not what is named", async () => {
    await run(async () => {
      const stop = new StopSwitch();
      await taskGroup(async (group) => {
        group.createTask(() => stop.whenOver());
        await sleep(1);
        stop.turn(SIGNAL);
        await sleep(1);
        stop.turn(DEADLINE);
      });
      assert.equal(stop.reason?.by, "SIGINT");
    });
  });

  it("cannot leave more time than an earlier one", async () => {
    await run(async () => {
      const stop = new StopSwitch();
      stop.turn(DEADLINE);
      stop.turn(SIGNAL);
      await stop.whenOver();
      assert.equal(stop.reason?.by, "--deadline");
    });
  });
});
