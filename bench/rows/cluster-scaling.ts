// One worker, and two.

import { pausesPerSecond } from "../harness/cluster.ts";
import { redisQueues } from "../harness/queue-servers.ts";
import type { NodePeer, Row } from "../harness/row.ts";

function peer(whose: "meanwhile" | "bullmq", workers: number): NodePeer {
  const isOurs = whose === "meanwhile";
  return {
    kind: "node",
    name: `${isOurs ? "cluster" : "BullMQ"}, ${workers === 1 ? "1 worker" : `${workers} workers`}`,
    ours: isOurs,
    packages: [isOurs ? "@meanwhile/cluster" : "bullmq"],
    measure: () => pausesPerSecond(whose, workers),
  };
}

export const row: Row = {
  name: "cluster-scaling",
  title: "one worker and two, over a queue on Redis",
  about:
    "Each job waits for 20 ms, as for a database, and each worker, a process of its own, runs four at once: 200 jobs a second for each worker are possible. Jobs that compute would share the two cores of this machine with Redis and the client; those that wait show what the queue itself lets through.",
  figures: [{ key: "rate", label: "jobs per second", better: "more" }],
  server: redisQueues,
  peers: [peer("bullmq", 1), peer("bullmq", 2), peer("meanwhile", 1), peer("meanwhile", 2)],
  targets: [
    { ours: "cluster, 2 workers", beside: "cluster, 1 worker", figure: "rate", compares: "speed", limit: 1.8 },
    { ours: "cluster, 2 workers", beside: "BullMQ, 2 workers", figure: "rate", compares: "speed", limit: 0.9 },
  ],
};
