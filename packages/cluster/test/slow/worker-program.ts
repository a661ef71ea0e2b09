// A worker of a process of its own, to be killed. Its arguments: URL, queue, jobs at once, lostAfterMs.

import { serveCluster } from "@meanwhile/cluster";

const [, , url, queue = "", concurrency, lostAfterMs] = process.argv;
await serveCluster(new URL("./chaos-functions.ts", import.meta.url), {
  url,
  queue,
  concurrency: Number(concurrency),
  threads: 1,
  lostAfterMs: Number(lostAfterMs),
  maxLosses: 50,
});
process.stdout.write("ready\n");
