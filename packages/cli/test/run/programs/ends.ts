// What a program says of itself, and the ways in which it can end.

import { Worker } from "node:worker_threads";

import { currentTask } from "meanwhile";

const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 1));

async function waitsForNothing(): Promise<never> {
  return await new Promise<never>(() => {});
}

const ways: Readonly<Record<string, () => unknown>> = {
  facts: () => {
    const isInstrumented = waitsForNothing.toString().includes("__mw");
    const facts = { main: import.meta.main, args: process.argv.slice(2), task: currentTask()?.name, isInstrumented };
    console.log(JSON.stringify(facts));
    process.exitCode = 7;
  },
  exit: () => process.exit(5),
  throws: async () => {
    await pause();
    throw new RangeError("on purpose");
  },
  killed: () => process.kill(process.pid, "SIGKILL"),
  hangs: () => waitsForNothing(),
  worker: async () => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url));
    const { promise, resolve } = Promise.withResolvers<unknown>();
    worker.once("message", resolve);
    console.log(await promise);
  },
};

await ways[process.argv[2] ?? ""]?.();
