// Sources of items that note what is done to them.

import { sleep } from "meanwhile";

/** A source, and what happened to it. */
export interface Observed<Kind> {
  readonly source: Kind;
  pulled: number;
  returned: boolean;
}

/** The numbers from 1 to `count`, as a generator. */
export function numbers(count: number, failure?: Error): Observed<Iterable<number>> {
  function* pull(): Generator<number> {
    try {
      while (observed.pulled < count) yield ++observed.pulled;
      if (failure !== undefined) throw failure;
    } finally {
      observed.returned = true;
    }
  }
  const observed: Observed<Iterable<number>> = { source: pull(), pulled: 0, returned: false };
  return observed;
}

/** The numbers from 1 to `count`, each after `ms` milliseconds, as an async generator. */
export function slowNumbers(count: number, ms: number, failure?: Error): Observed<AsyncIterable<number>> {
  async function* pull(): AsyncGenerator<number> {
    try {
      while (observed.pulled < count) {
        await sleep(ms);
        yield ++observed.pulled;
      }
      if (failure !== undefined) throw failure;
    } finally {
      observed.returned = true;
    }
  }
  const observed: Observed<AsyncIterable<number>> = { source: pull(), pulled: 0, returned: false };
  return observed;
}
