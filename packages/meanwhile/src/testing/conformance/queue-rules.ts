// The rules of queues.

import { assertNoCheckpoints } from "../assert-checkpoints.ts";
import { expectCheckpoint, expectRefused, expectSameStatistics } from "./common.ts";
import {
  cancelledGetTakesNothing,
  cancelledPutAddsNothing,
  keepsItemForGet,
  keepsRoomForPut,
} from "./queue-cancel-rules.ts";
import { type QueueLike, type QueueOrder, queueSpec, takeNext, tryGet, tryPut } from "./queue-model.ts";
import { SIZE, Table } from "./queue-table.ts";
import { type Rule, rulesOn, sequentialRule } from "./rules.ts";
import { type Caller, expect, expectFates } from "./stage.ts";

/** Every queue keeps these rules. */
export function queueRules(create: (maxSize: number) => QueueLike, order: QueueOrder): Rule[] {
  const played = rulesOn((stage) => new Table(create, order, stage));
  const rules = [
    played("gives items in their order", givesInOrder),
    played("holds no more items than its size", holdsNoMore),
    played("every put and get is a checkpoint", isCheckpoint),
    played("serves gets in the order they asked", servesGetsInOrder),
    played("serves puts in the order they asked", servesPutsInOrder),
    played("lets no newcomer overtake a waiting get", letsNoGetOvertake),
    played("lets no newcomer overtake a waiting put", letsNoPutOvertake),
    played("a cancelled get loses its place and takes nothing", cancelledGetTakesNothing),
    played("a cancelled put loses its place and adds nothing", cancelledPutAddsNothing),
    played("an item that meets the cancellation of a get is not lost", keepsItemForGet),
    played("room that meets the cancellation of a put is not lost", keepsRoomForPut),
  ];
  const sample = create(SIZE);
  if (sample.tryPut !== undefined && sample.tryGet !== undefined)
    rules.push(played("tryPut and tryGet never wait", triesWithoutWaiting));
  if (sample.close !== undefined) rules.push(played("closing ends every wait, and keeps what is queued", closes));
  if (sample.statistics !== undefined) rules.push(played("statistics return to what they were", statisticsReturn));
  rules.push(sequentialRule((seed) => queueSpec(create, order, 1 + (seed % SIZE))));
  return rules;
}

async function givesInOrder(table: Table): Promise<void> {
  let items = [4, 1, 5, 2, 6, 3];
  table.renew(items.length);
  await table.fill(...items);
  while (items.length > 0) {
    const { item, rest } = takeNext(items, table.order);
    const { value } = await table.get();
    expect(value === item, `of the items ${items.join(", ")} it gives ${value}, and has to give ${item}`);
    items = rest;
  }
}

async function holdsNoMore(table: Table): Promise<void> {
  await table.fill(1, 2);
  const put = await table.put(3);
  expectFates("When the queue is full, another put", [put], "waits");
  await table.get();
  expectFates("When an item was got, the put that waited", [put], "got");
}

async function isCheckpoint(table: Table): Promise<void> {
  await expectCheckpoint(() => table.queue.put(1), "While there is room");
  await table.fill(2);
  await expectRefused(() => table.queue.put(3), "While the queue is full");
  await expectCheckpoint(() => table.queue.get(), "While there is an item");
  await table.get();
  await expectRefused(() => table.queue.get(), "While the queue is empty");
  await table.drain("After calls that were refused");
}

async function servesGetsInOrder(table: Table): Promise<void> {
  const gets = await table.stage.callEach(3, () => table.queue.get());
  for (const [i, get] of gets.entries()) {
    await table.put(i);
    expectFates(`When ${i + 1} items were put, the gets`, gets, ...gets.map((_, at) => (at <= i ? "got" : "waits")));
    expect(get.value === i, `the item ${i} goes to another get than the one that has waited longest`);
  }
}

async function servesPutsInOrder(table: Table): Promise<void> {
  await table.fill(1, 2);
  const puts = await table.stage.callEach(3, (i) => table.queue.put(3 + i));
  for (const i of puts.keys()) {
    await table.get();
    expectFates(`When ${i + 1} items were got, the puts`, puts, ...puts.map((_, at) => (at <= i ? "got" : "waits")));
  }
}

async function letsNoGetOvertake({ queue, stage }: Table): Promise<void> {
  const waiter = await stage.call(() => queue.get());
  const put = stage.callNow(() => queue.put(1));
  const newcomer = stage.callNow(() => queue.get());
  await stage.settle();
  const callers = [put, waiter, newcomer];
  expectFates(
    "When an item is put and got in one turn, the put, the get that waited and the other",
    callers,
    "got",
    "got",
    "waits",
  );
}

async function letsNoPutOvertake(table: Table): Promise<void> {
  const { queue, stage } = table;
  await table.fill(1, 2);
  const waiter = await table.put(3);
  const get = stage.callNow(() => queue.get());
  const newcomer = stage.callNow(() => queue.put(4));
  await stage.settle();
  const callers = [get, waiter, newcomer];
  expectFates(
    "When an item is got and put in one turn, the get, the put that waited and the other",
    callers,
    "got",
    "got",
    "waits",
  );
}

async function triesWithoutWaiting({ queue }: Table): Promise<void> {
  const results: unknown[] = [];
  for (const call of ["get", "put", "put", "put", "get", "get", "get"] as const) {
    results.push(await assertNoCheckpoints(() => (call === "get" ? tryGet(queue) !== null : tryPut(queue, 1))));
  }
  const wanted = "false,true,true,false,true,true,false";
  expect(
    String(results) === wanted,
    `get, three puts and three gets are done or not: ${String(results)}, and not ${wanted}`,
  );
}

async function closes(table: Table): Promise<void> {
  const gets = await table.stage.callEach(2, () => table.queue.get());
  table.queue.close?.();
  await table.stage.settle();
  expectFails("When the queue was closed, the gets that waited", gets);
  table.renew(SIZE);
  await table.fill(1, 2);
  const put = await table.put(3);
  table.queue.close?.();
  await table.stage.settle();
  expectFails("When the queue was closed, the put that waited", [put]);
  expectFails("In a closed queue, a put", [await table.put(4)]);
  const left = [await table.get(), await table.get()];
  expectFates("In a closed queue, gets of what is left", left, "got", "got");
  expectFails("In a closed queue with nothing left, a get", [await table.get()]);
}

function expectFails(when: string, callers: ReadonlyArray<Caller<unknown>>): void {
  for (const { fate } of callers) expect(fate.kind === "failed", `${when} has to fail, and ${fate.kind}`);
}

async function statisticsReturn(table: Table): Promise<void> {
  const { queue, stage } = table;
  await expectSameStatistics(queue, stage, async () => {
    const [waiter, cancelled] = [await table.get(), await table.get()];
    cancelled.cancel();
    await table.put(1);
    await table.fill(2, 3);
    const [put, cancelledPut] = [await table.put(4), await table.put(5)];
    cancelledPut.cancel();
    const gets = await stage.callEach(3, () => queue.get());
    expectFates("When all items were got, the calls", [waiter, put, ...gets], "got", "got", "got", "got", "got");
    for (let i = 0; i < 4; i++) queue.taskDone?.();
    await stage.settle();
  });
}
