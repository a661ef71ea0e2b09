// A client of a process of its own, to be cut off. Its arguments: URL, queue, lostAfterMs, file, jobs. Writes their results.

import { connectCluster } from "@meanwhile/cluster";

type Functions = typeof import("./chaos-functions.ts");

const [, , url, queue = "", lostAfterMs, file = "", jobs] = process.argv;
const cluster = await connectCluster<Functions>(url, { queue, lostAfterMs: Number(lostAfterMs) });
const calls = Array.from({ length: Number(jobs) }, (_, i) => cluster.call("square", file, i, 500));
const results = await Promise.all(calls);
const { resent } = cluster.statistics();
await cluster.close();
process.stdout.write(JSON.stringify({ results, resent }));
