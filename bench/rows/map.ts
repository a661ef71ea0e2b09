// Row 4: what a bound costs. 100 000 items, 100 at a time.

import { microsecondsEach } from "../harness/measuring.ts";
import type { Measured, Row } from "../harness/row.ts";

const ITEMS = Array.from({ length: 100_000 }, (_, index) => index);
const AT_ONCE = 100;
const DONE = Promise.resolve();

async function work(item: number): Promise<number> {
  await DONE;
  return item;
}

const each = (run: () => unknown): Promise<Measured> => microsecondsEach(ITEMS.length, run);

async function oursMap(): Promise<Measured> {
  const { map, run } = await import("meanwhile");
  return each(() => run(() => Array.fromAsync(map(ITEMS, work, { concurrency: AT_ONCE }))));
}

async function oursForEach(): Promise<Measured> {
  const { forEach, run } = await import("meanwhile");
  async function mapped(): Promise<number[]> {
    const results: number[] = [];
    const keep = async (item: number, index: number): Promise<void> => {
      results[index] = await work(item);
    };
    await forEach(ITEMS, keep, { concurrency: AT_ONCE });
    return results;
  }
  return each(() => run(mapped));
}

async function oursGather(): Promise<Measured> {
  const { gather, run } = await import("meanwhile");
  return each(() =>
    run(() =>
      gather(
        ITEMS.map((item) => () => work(item)),
        { concurrency: AT_ONCE },
      ),
    ),
  );
}

async function pMap(): Promise<Measured> {
  const { default: map } = await import("p-map");
  return each(() => map(ITEMS, work, { concurrency: AT_ONCE }));
}

async function pMapIterable(): Promise<Measured> {
  const { pMapIterable: map } = await import("p-map");
  return each(() => Array.fromAsync(map(ITEMS, work, { concurrency: AT_ONCE })));
}

async function pLimit(): Promise<Measured> {
  const { default: limiter } = await import("p-limit");
  return each(() => {
    const limit = limiter(AT_ONCE);
    return Promise.all(ITEMS.map((item) => limit(work, item)));
  });
}

async function effect(): Promise<Measured> {
  const { Effect } = await import("effect");
  const program = Effect.forEach(ITEMS, (item) => Effect.promise(() => work(item)), { concurrency: AT_ONCE });
  return each(() => Effect.runPromise(program));
}

export const row: Row = {
  name: "map",
  title: "bounded map of 100 000 items, 100 at a time",
  about:
    "Every peer calls the same async function, which yields once and returns its item, and collects the results in order. " +
    "p-map and p-limit cannot cancel what they started; ours runs each item as a task that can be. " +
    "`gather` is given a function for each item; `forEach` reads the list as places get free; so does `map`, whose results are read as an async iterable, " +
    "which costs the reader an await for each item, as `pMapIterable` of p-map does.",
  figures: [{ key: "wall", label: "µs per item", better: "less" }],
  peers: [
    { kind: "node", name: "p-map", packages: ["p-map"], measure: pMap },
    { kind: "node", name: "p-map, iterable", packages: ["p-map"], measure: pMapIterable },
    { kind: "node", name: "p-limit", packages: ["p-limit"], measure: pLimit },
    { kind: "node", name: "meanwhile gather", ours: true, packages: ["meanwhile"], measure: oursGather },
    { kind: "node", name: "meanwhile forEach", ours: true, packages: ["meanwhile"], measure: oursForEach },
    { kind: "node", name: "meanwhile map", ours: true, packages: ["meanwhile"], measure: oursMap },
    { kind: "node", name: "Effect", packages: ["effect"], measure: effect },
  ],
  targets: [
    { ours: "meanwhile gather", beside: "p-map", figure: "wall", compares: "cost", limit: 1.5 },
    { ours: "meanwhile forEach", beside: "p-map", figure: "wall", compares: "cost", limit: 1.5 },
    { ours: "meanwhile map", beside: "p-map, iterable", figure: "wall", compares: "cost", limit: 1.5 },
  ],
};
