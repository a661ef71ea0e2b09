// The same jobs, as workerpool wants them.

import workerpool from "workerpool";

import { countPrimes, increment, incrementAll } from "./jobs.ts";

workerpool.worker({
  countPrimes,
  increment,
  incrementAll,
  // With a list of what moves, as its documentation has it.
  mark: (buffer: ArrayBuffer) => {
    const bytes = new Uint8Array(buffer);
    bytes[0] = (bytes[0] ?? 0) + 1;
    return new workerpool.Transfer(buffer, [buffer]);
  },
});
