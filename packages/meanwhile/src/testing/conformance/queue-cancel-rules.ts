// The rules of queues that are about cancelled calls.

import { MEETINGS } from "./common.ts";
import type { Table } from "./queue-table.ts";
import { expectFates } from "./stage.ts";

export async function cancelledGetTakesNothing(table: Table): Promise<void> {
  const [first, second, third] = [await table.get(), await table.get(), await table.get()];
  second.cancel();
  await table.stage.settle();
  expectFates("When the second get was cancelled, the gets", [first, second, third], "waits", "cancelled", "waits");
  await table.put(1);
  expectFates("When an item was put after that, the other gets", [first, third], "got", "waits");
  await table.put(2);
  expectFates("When another one was put after that, the last get", [third], "got");
  await table.fill(3);
  await table.drain("After a get was cancelled", 3);
}

export async function cancelledPutAddsNothing(table: Table): Promise<void> {
  await table.fill(1, 2);
  const [first, second, third] = [await table.put(3), await table.put(4), await table.put(5)];
  second.cancel();
  await table.stage.settle();
  expectFates("When the second put was cancelled, the puts", [first, second, third], "waits", "cancelled", "waits");
  const got = [await table.get(), await table.get()].map(({ value }) => value);
  expectFates("When two items were got after that, the other puts", [first, third], "got", "got");
  await table.drain("After a put was cancelled", ...[1, 2, 3, 5].filter((item) => !got.includes(item)));
}

export async function keepsItemForGet(table: Table): Promise<void> {
  const { queue, stage } = table;
  for (const { name, meet } of MEETINGS) {
    const [waiter, next] = [await table.get(), await table.get()];
    await meet(
      () => stage.callNow(() => queue.put(1)),
      () => waiter.cancel(),
    );
    await stage.settle();
    if (waiter.has) {
      expectFates(`After ${name}, when the get that waited has the item, the next one`, [next], "waits");
      await table.put(2);
    } else expectFates(`After ${name}, the get that waited and the next one`, [waiter, next], "cancelled", "got");
  }
  await table.drain("After items that met cancellations");
}

export async function keepsRoomForPut(table: Table): Promise<void> {
  const { stage } = table;
  for (const { name, meet } of MEETINGS) {
    table.renew(1);
    const { queue } = table;
    await table.fill(1);
    const [waiter, next] = [await table.put(2), await table.put(3)];
    await meet(
      () => stage.callNow(() => queue.get()),
      () => waiter.cancel(),
    );
    await stage.settle();
    if (waiter.has) {
      expectFates(`After ${name}, when the put that waited has the room, the next one`, [next], "waits");
    } else expectFates(`After ${name}, the put that waited and the next one`, [waiter, next], "cancelled", "got");
    await table.drain(`After ${name}`, ...(waiter.has ? [2, 3] : [3]));
  }
}
