// Random programs under random schedules; test/slow/proofs runs a hundred times as many.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import type { Permit } from "meanwhile";

import { expectWarning } from "../../../../../tools/test-setup.ts";
import { errorOf } from "../../util/outcomes.ts";
import { noteFigure, onThisHost } from "../figures.ts";
import { checkDeterminism, checkPrograms, type RunOptions } from "./check.ts";
import { generate } from "./generate.ts";
import { smaller } from "./shrink.ts";
import { type Body, SHAPES, sizeOf } from "./statements.ts";

const PROGRAMS = onThisHost(2_000);
const SCHEDULES = 10;

/** Runs something that causes warnings about suppressed errors. */
async function withWarnings<T>(run: () => Promise<T>): Promise<T> {
  const announced = expectWarning("MW_WARN_SUPPRESSED");
  const value = await run();
  await announced[Symbol.asyncDispose]();
  return value;
}

describe("A random program under random schedules", () => {
  it(`ends, cleans up, loses nothing and is told of every cancellation (${PROGRAMS} programs, ${SCHEDULES} schedules)`, async () => {
    const started = performance.now();
    const tally = await withWarnings(() => checkPrograms(1, PROGRAMS, SCHEDULES));
    // The three ways to end must all be there, and often, or little was tried.
    const { runs, errors, deadlocks } = tally;
    if (process.env["MEANWHILE_PROGRAM"] === undefined) {
      assert.equal(runs, PROGRAMS * SCHEDULES);
      assert.ok(errors > runs / 10 && errors < runs / 2, `${errors} of ${runs} runs ended with an error`);
    }
    noteFigure("random programs", {
      count: runs,
      unit: "runs",
      ms: performance.now() - started,
      note: `${deadlocks} deadlocks`,
    });
  });

  it("does the same again under the same seed (200 programs)", async () => {
    const events = await withWarnings(() => checkDeterminism(1, 200));
    assert.ok(events > 200 * 20, `only ${events} events`);
  });
});

/** Something that is wrong, and what is said of it. */
const SPOILT: Readonly<Record<string, { readonly spoil: NonNullable<RunOptions["spoil"]>; readonly says: RegExp }>> = {
  "a permit that is not given back": {
    spoil({ semaphore }) {
      const acquire = semaphore.acquire.bind(semaphore);
      semaphore.acquire = async (): Promise<Permit> => {
        await acquire();
        return { release() {}, [Symbol.dispose]() {} };
      };
    },
    says: /only 1 permits are left/,
  },
  "a lock that is not exclusive": {
    spoil({ locks, semaphore }) {
      locks[0].acquire = (): Promise<Permit> => semaphore.acquire();
    },
    says: /2 tasks hold the first lock/,
  },
  "an item that is lost": {
    spoil({ queues }) {
      const queue = queues[0]?.queue;
      if (queue === undefined) return;
      queue.put = async (item: number): Promise<void> => {
        if (item === 0) queue.tryPut(item);
      };
    },
    says: /items were put and are nowhere/,
  },
  "a wait that takes no notice of a cancellation": {
    spoil({ barrier }) {
      barrier.wait = async (): Promise<number> => 0;
    },
    says: /returned although its scope was cancelled|went through a barrier/,
  },
};

describe("What is wrong", () => {
  for (const [what, { spoil, says }] of Object.entries(SPOILT)) {
    it(`shows, in a program that is small: ${what}`, async () => {
      const error = await errorOf(checkPrograms(1, PROGRAMS, SCHEDULES, { spoil }));
      assert.match(error.message, says);
      const [, part = ""] = error.message.split(/^neither does this part of it, under seed \d+:$/m);
      const program = part.trim().split(/^- /m)[0] ?? "";
      assert.ok(program !== "" && program.split("\n").length <= 9, `it was not made smaller:\n${program}`);
    });
  }
});

function has(body: Body, kind: string): boolean {
  return body.some((statement) => statement.kind === kind || statement.bodies.some((inner) => has(inner, kind)));
}

describe("A program that fails is made smaller", () => {
  it("as long as it still fails", async () => {
    const seed = Array.from({ length: 1_000 }, (_, i) => i).find((each) => has(generate(each).main, "race")) ?? 0;
    const small = await smaller(generate(seed), async ({ main }) => has(main, "race"));
    assert.deepEqual(small.main, [{ kind: "race", numbers: [0], bodies: [[]] }]);
  });
});

describe("The generator", () => {
  it("makes every kind of statement, and the same program for the same seed", () => {
    const programs = Array.from({ length: 300 }, (_, seed) => generate(seed));
    for (const kind of Object.keys(SHAPES)) {
      assert.ok(
        programs.some(({ main }) => has(main, kind)),
        `no program has ${kind}`,
      );
    }
    assert.deepEqual(generate(7), programs[7]);
    assert.ok(programs.some(({ main }) => sizeOf(main) > 10));
  });
});
