// A shop in trouble, for the pictures of the documentation. Says where its socket is once there is something to see, and goes
// on until its input ends.

import { once } from "node:events";

import { cancellable, Lock, Queue, run, Semaphore, sleep, taskGroup, timeout } from "meanwhile";
import { startDiagnostics } from "meanwhile/diagnostics";

const stock = new Lock();
const connections = new Semaphore(2);
const mails = new Queue<string>({ maxSize: 10 });

async function checkout(number: number): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await sleep(25 + ((number * 37 + round * 53) % 90));
    using _connection = await connections.acquire();
    await sleep(20 + ((number * 17) % 40));
  }
  if (number === 4) await timeout(120, () => sleep(1_000)).catch(() => {});
  if (number > 4) await reserve();
  await mails.put(`order ${number}`);
}

async function reserve(): Promise<void> {
  using _held = await stock.acquire();
}

async function writer(): Promise<void> {
  await sleep(420);
  using _held = await stock.acquire();
  parseCatalog();
  await sleep(600_000); // a server that does not answer
}

function parseCatalog(): void {
  const until = performance.now() + 160;
  while (performance.now() < until);
}

async function mailer(): Promise<void> {
  for await (const _mail of mails) await sleep(12);
}

async function shop(): Promise<void> {
  const socket = await diagnostics.ready;
  await taskGroup(async (group) => {
    group.createTask(writer, { name: "writer" });
    group.createTask(mailer, { name: "mailer" });
    const audit = group.createTask(() => sleep(10_000), { name: "audit" });
    for (let number = 1; number <= 8; number += 1) {
      group.createTask(() => checkout(number), { name: `checkout ${number}` });
      await sleep(30);
    }
    await sleep(350);
    audit.cancel("it is too late for today");
    await sleep(400);
    process.stdout.write(`${socket}\n`);
    await cancellable(once(process.stdin, "end"));
    group.cancel();
  });
}

const diagnostics = startDiagnostics({ level: 3, stackSampling: 1, report: false });
process.stdin.resume();
await run(shop, { name: "shop" });
await diagnostics[Symbol.asyncDispose]();
