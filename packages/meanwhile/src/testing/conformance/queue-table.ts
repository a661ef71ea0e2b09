// One queue that the rules are played on.

import type { QueueLike, QueueOrder } from "./queue-model.ts";
import { type Caller, expect, expectFates, type Stage } from "./stage.ts";

/** How many items the queues that are played with hold. */
export const SIZE = 2;

/** One queue on a stage. */
export class Table {
  readonly #create: (maxSize: number) => QueueLike;
  readonly order: QueueOrder;
  readonly stage: Stage;
  queue: QueueLike;

  constructor(create: (maxSize: number) => QueueLike, order: QueueOrder, stage: Stage) {
    this.#create = create;
    this.order = order;
    this.stage = stage;
    this.queue = create(SIZE);
  }

  /** Begins anew. */
  renew(maxSize: number): void {
    this.queue = this.#create(maxSize);
  }

  get(): Promise<Caller<number>> {
    return this.stage.call(() => this.queue.get());
  }

  put(item: number): Promise<Caller<unknown>> {
    return this.stage.call(() => this.queue.put(item));
  }

  /** Puts items for which there is room. */
  async fill(...items: number[]): Promise<void> {
    for (const item of items) expectFates(`While there is room, the put of ${item}`, [await this.put(item)], "got");
  }

  /** Gets everything; fails unless it is these items. */
  async drain(when: string, ...items: number[]): Promise<void> {
    const gets = await this.stage.callEach(items.length, () => this.queue.get());
    const are = gets.map((get) => (get.has ? get.value : "none"));
    const wanted = items.toSorted((a, b) => a - b);
    expect(sorted(are) === sorted(wanted), `${when}, the items have to be ${sorted(wanted)}, and are ${sorted(are)}`);
    const more = await this.get();
    expectFates(`${when}, when ${items.length} items were got, the next get`, [more], "waits");
    more.cancel();
    await this.stage.settle();
  }
}

function sorted(items: ReadonlyArray<number | string>): string {
  return `[${items.map(String).toSorted().join(", ")}]`;
}
