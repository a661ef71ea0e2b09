// Calls the garbage collector when the tests of a file have ended, so that test-setup.ts sees what is reported then.
// Loaded with --import and --expose-gc.

import { after } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

/** Collecting frees what refers to other things that are freed the next time. */
const ROUNDS = 3;

if (process.env["NODE_TEST_CONTEXT"] !== undefined) {
  after(async () => {
    for (let round = 0; round < ROUNDS; round++) {
      globalThis.gc?.();
      await turn();
    }
  });
}
