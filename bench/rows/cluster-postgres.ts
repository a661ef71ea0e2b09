// Calls of a function on a worker in another process, over a queue on PostgreSQL.

import { CALL_FIGURES, callPeers } from "../harness/cluster.ts";
import { postgresQueues } from "../harness/queue-servers.ts";
import type { Row } from "../harness/row.ts";

export const row: Row = {
  name: "cluster-postgres",
  title: "calls over a queue on PostgreSQL",
  about:
    "A worker in a process of its own runs `value + 1`, up to 50 jobs at once; the client is this process, PostgreSQL a third one, all on this machine. 2 000 calls at once give the rate and what CPU each call takes in each of the processes, and one after the other the latency. `BullMQ` is the least that answers a call: jobs are added in batches, the function runs in the worker's only thread, and one listener takes the results of all; nothing of it is cancelled, looked up again or carried as more than JSON. With `map` a job has many items, as many as take 20 ms, and the latency is that of `call`. The server does not wait for its disk (`synchronous_commit = off`). Some of BullMQ's events are lost there when jobs run at the same time, so `BullMQ` looks every 100 ms at jobs it has not heard of; ours does not use them.",
  figures: CALL_FIGURES,
  rounds: 3,
  server: postgresQueues,
  peers: callPeers,
  targets: [
    { ours: "cluster", beside: "BullMQ", figure: "rate", compares: "speed", limit: 0.9 },
    { ours: "cluster", beside: "BullMQ", figure: "latency", compares: "cost", limit: 1.1 },
    { ours: "cluster, map", beside: "BullMQ", figure: "rate", compares: "speed", limit: 2 },
  ],
};
