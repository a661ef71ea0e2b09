// 100 MB to a worker and back: moved where that can be done, copied where not.

import { check, costOf } from "../harness/measuring.ts";
import { pythonPeers, WORKERS } from "../harness/pools.ts";
import type { Measured, Row } from "../harness/row.ts";

const BYTES = 100_000_000;
const JOBS = new URL("../harness/moving-jobs.ts", import.meta.url);

/** The wall time of a buffer that goes there and comes back written, each time the one that came. */
async function thereAndBack(call: (buffer: ArrayBuffer) => PromiseLike<unknown>): Promise<Measured> {
  let buffer = new ArrayBuffer(BYTES);
  let times = 0;
  const { wallMs } = await costOf(async () => {
    const back = await call(buffer);
    if (!(back instanceof ArrayBuffer)) throw new Error("what came back is no buffer");
    buffer = back;
    times = (times + 1) % 256;
    check("length", buffer.byteLength, BYTES);
    check("first byte", new Uint8Array(buffer)[0] ?? -1, times);
  });
  return { wall: wallMs };
}

async function moving(): Promise<Measured> {
  const { moved, WorkerPool } = await import("meanwhile/workers");
  await using pool = new WorkerPool<typeof import("../harness/moving-jobs.ts")>(JOBS, { threads: WORKERS });
  return await thereAndBack((buffer) => pool.call("moving", moved(buffer)));
}

async function copying(): Promise<Measured> {
  const { WorkerPool } = await import("meanwhile/workers");
  await using pool = new WorkerPool<typeof import("../harness/moving-jobs.ts")>(JOBS, { threads: WORKERS });
  return await thereAndBack((buffer) => pool.call("copying", buffer));
}

async function piscina(): Promise<Measured> {
  const { Piscina } = await import("piscina");
  const pool = new Piscina({ filename: JOBS.href, maxThreads: WORKERS, name: "movingByPiscina" });
  const measured = await thereAndBack((buffer) => pool.run(Piscina.move(buffer)));
  await pool.destroy();
  return measured;
}

async function tinypool(): Promise<Measured> {
  const { Tinypool } = await import("tinypool");
  const pool = new Tinypool({ filename: JOBS.href, maxThreads: WORKERS, name: "movingByTinypool" });
  const measured = await thereAndBack((buffer) => pool.run(Tinypool.move(buffer)));
  await pool.destroy();
  return measured;
}

async function workerpool(): Promise<Measured> {
  const { default: made } = await import("workerpool");
  const script = new URL("../harness/workerpool-jobs.ts", import.meta.url).pathname;
  const pool = made.pool(script, { maxWorkers: WORKERS, workerType: "thread" });
  const measured = await thereAndBack((buffer) => pool.exec("mark", [buffer], { transfer: [buffer] }));
  await pool.terminate();
  return measured;
}

export const row: Row = {
  name: "workers-buffer",
  title: "100 MB to a worker and back",
  about:
    "The worker writes one byte of the buffer and gives it back. Threads can hand memory over: the time should be that of a call. `WorkerPool, copied` does not mark the buffer as one that moves, so all of it is copied, twice. What is left of the time with a move is the garbage collector: each side takes 100 MB that come for memory that is allocated. " +
    "Processes share no memory: the two of Python pickle it.",
  figures: [{ key: "wall", label: "ms there and back", better: "less" }],
  rounds: 3,
  peers: [
    { kind: "node", name: "WorkerPool", ours: true, packages: ["meanwhile"], measure: moving },
    { kind: "node", name: "WorkerPool, copied", ours: true, packages: ["meanwhile"], measure: copying },
    { kind: "node", name: "piscina", packages: ["piscina"], measure: piscina },
    { kind: "node", name: "tinypool", packages: ["tinypool"], measure: tinypool },
    { kind: "node", name: "workerpool", packages: ["workerpool"], measure: workerpool },
    ...pythonPeers("buffer"),
  ],
  targets: [
    { ours: "WorkerPool", beside: "WorkerPool, copied", figure: "wall", compares: "speed", limit: 3 },
    { ours: "WorkerPool", beside: "piscina", figure: "wall", compares: "cost", limit: 1 },
  ],
};
