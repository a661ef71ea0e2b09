// A program that calls a function on a worker, and waits for it; its arguments say where the queue is and what it is called.

import { connectCluster } from "@meanwhile/cluster";

const [url, queue = ""] = process.argv.slice(2);
await using cluster = await connectCluster<typeof import("./functions.ts")>(url, { queue, graceMs: 0 });
await cluster.call("crunch");
