// Programs that are in trouble on purpose, one by one; its argument says which.

import { cancellable, Lock, Queue, sleep, taskGroup } from "meanwhile";

const lock = { left: new Lock(), right: new Lock() };

async function philosopher(first: Lock, second: Lock): Promise<void> {
  using _first = await first.acquire();
  await sleep(5);
  using _second = await second.acquire();
}

async function deadlock(): Promise<void> {
  // Something else goes on, so that it is no end of the program.
  const other = setInterval(() => {}, 1_000);
  await taskGroup(async (group) => {
    group.createTask(() => philosopher(lock.left, lock.right), { name: "Plato" });
    group.createTask(() => philosopher(lock.right, lock.left), { name: "Kant" });
  });
  clearInterval(other);
}

async function crowd(): Promise<void> {
  const work = new Queue<number>({ maxSize: 1 });
  const other = setInterval(() => {}, 1_000);
  const worker = async (): Promise<number> => {
    const item = await work.get();
    return item;
  };
  await taskGroup(async (group) => {
    for (let number = 0; number < 5_000; number += 1) {
      group.createTask(worker, { name: `worker ${number}` });
    }
  });
  clearInterval(other);
}

function block(): void {
  const started = performance.now();
  while (performance.now() - started < 60_000);
}

async function blocked(): Promise<void> {
  await taskGroup(async (group) => {
    group.createTask(() => sleep(60_000), { name: "patient" });
    await sleep(5);
    process.stdout.write("ready\n");
    group.createTask(async () => block(), { name: "cruncher" });
  });
}

async function short(): Promise<void> {
  await taskGroup(async (group) => {
    for (const name of ["one", "two"]) group.createTask(() => sleep(3), { name });
  });
  await cancellable(Promise.resolve());
  process.exit(5);
}

const PROGRAMS: Readonly<Record<string, () => Promise<void>>> = { deadlock, crowd, blocked, short };
await PROGRAMS[process.argv[2] ?? ""]?.();
