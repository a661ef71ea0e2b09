// A worker in a process of its own, as on another machine. Its arguments: whose, URL, queue, jobs at once.

import { serveCluster } from "@meanwhile/cluster";

import { serveBare } from "./bare-bullmq.ts";
import * as jobs from "./cluster-jobs.ts";

const [, , whose, url = "", queue = "", concurrency] = process.argv;
const atOnce = Number(concurrency);

if (whose === "bullmq") {
  await serveBare(url, queue, atOnce, async ({ name, data }) =>
    name === "pause" ? await jobs.pause(data) : jobs.increment(data),
  );
} else {
  await serveCluster(new URL("./cluster-jobs.ts", import.meta.url), { url, queue, concurrency: atOnce, threads: 1 });
}
process.stdout.write("ready\n");
