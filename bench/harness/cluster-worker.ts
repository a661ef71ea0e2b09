// A worker in a process of its own, as on another machine. Its arguments: whose, URL, queue, jobs at once.

import { serveCluster } from "@meanwhile/cluster";
import { Worker } from "bullmq";

import { increment } from "./cluster-jobs.ts";

const [, , whose, url = "", queue = "", concurrency] = process.argv;
const atOnce = Number(concurrency);

if (whose === "bullmq") {
  const { hostname: host, port } = new URL(url);
  const connection = { host, port: Number(port), maxRetriesPerRequest: null };
  const worker = new Worker<number, number>(queue, async (job) => increment(job.data), {
    connection,
    concurrency: atOnce,
  });
  await worker.waitUntilReady();
} else {
  await serveCluster(new URL("./cluster-jobs.ts", import.meta.url), { url, queue, concurrency: atOnce, threads: 1 });
}
process.stdout.write("ready\n");
