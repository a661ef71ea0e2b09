// A client of a process of its own, to be killed. Its arguments: URL, queue, lostAfterMs, orphans, file, jobs.

import { connectCluster } from "@meanwhile/cluster";

type Functions = typeof import("./chaos-functions.ts");

const [, , url, queue = "", lostAfterMs, orphans, file = "", jobs] = process.argv;
const cluster = await connectCluster<Functions>(url, {
  queue,
  lostAfterMs: Number(lostAfterMs),
  orphans: orphans === "finish" ? "finish" : "cancel",
});
await Promise.all(Array.from({ length: Number(jobs) }, (_, id) => cluster.call("hold", file, id, 8_000)));
