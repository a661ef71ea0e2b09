// Calls of a function on a worker in another process, over a queue on Redis.

import { CALL_FIGURES, callPeers } from "../harness/cluster.ts";
import { redisQueues } from "../harness/queue-servers.ts";
import type { Row } from "../harness/row.ts";

export const row: Row = {
  name: "cluster",
  title: "calls over a queue on Redis",
  about:
    "A worker in a process of its own runs `value + 1`, up to 50 jobs at once; the client is this process, Redis a third one, all on this machine. 2 000 calls at once give the rate and what CPU each call takes in each of the processes, and one after the other the latency. `BullMQ` is the least that answers a call: jobs are added in batches, the function runs in the worker's only thread, and one listener takes the results of all; nothing of it is cancelled, looked up again or carried as more than JSON. With `map` a job has many items, as many as take 20 ms, and the latency is that of `call`.",
  figures: CALL_FIGURES,
  server: redisQueues,
  peers: callPeers,
  targets: [
    { ours: "cluster", beside: "BullMQ", figure: "rate", compares: "speed", limit: 0.9 },
    { ours: "cluster", beside: "BullMQ", figure: "latency", compares: "cost", limit: 1.1 },
    { ours: "cluster, map", beside: "BullMQ", figure: "rate", compares: "speed", limit: 2 },
  ],
};
