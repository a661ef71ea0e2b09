// A producer and two consumers with a queue between them. The queue is short: the producer waits for the consumers.

import { Queue, run, sleep, taskGroup } from "meanwhile";

const queue = new Queue<string>({ maxSize: 2 });

async function produce(): Promise<void> {
  for (let number = 1; number <= 6; number++) await queue.put(`url ${number}`);
  queue.close(); // the consumers get what is queued, then their loops end
}

async function consume(name: string): Promise<void> {
  for await (const item of queue) {
    await sleep(20);
    console.log(`${name} is done with ${item}`);
  }
}

await run(() =>
  taskGroup((group) => {
    group.createTask(produce);
    group.createTask(() => consume("first"));
    group.createTask(() => consume("second"));
  }),
);
console.log("all is consumed");
