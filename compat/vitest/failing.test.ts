// Fails on purpose: check.ts looks at what Vitest prints.

import { sleep } from "meanwhile";
import { exploreSchedules, torture } from "meanwhile/testing";
import { expect, it } from "vitest";

it("differs", () =>
  exploreSchedules(async () => {
    await sleep(1);
    expect({ name: "Ada", born: 1815 }).toEqual({ name: "Ada", born: 1816 });
  }));

it("does not survive", () => {
  let open = 0;
  return torture({
    setup: () => {
      open = 0;
    },
    run: async () => {
      open += 1;
      await sleep(1);
      open -= 1;
    },
    check: () => expect(open).toBe(0),
  });
});
