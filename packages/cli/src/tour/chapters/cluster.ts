// Past one machine: the same call on the workers of a queue. One of them leaves in the middle, and its jobs go elsewhere.

import { connectCluster, serveCluster } from "@meanwhile/cluster";
import { createTask, gather, sleep } from "meanwhile";

import type { Chapter } from "../chapter.ts";
import { Laps } from "../laps.ts";
import { codeOf } from "../source.ts";
import type { Stage } from "../stage.ts";

const PHOTOS = [1, 2, 3, 4, 5, 6];
const DEVELOP_MS = 60;

type Lab = Awaited<ReturnType<typeof connectCluster<typeof import("./cluster.ts")>>>;

/**
 * The work. Exported for the threads of the workers, which load this file too.
 *
 * @public
 */
export async function develop(photo: number): Promise<string> {
  await sleep(DEVELOP_MS);
  return `photo ${photo}`;
}

async function developAll(lab: Lab, laps: Laps) {
  const job = (photo: number) => async () => {
    using _ = laps.start(`photo ${photo}`);
    return await lab.call("develop", photo);
  };
  return await gather(PHOTOS.map(job));
}

async function play(stage: Stage): Promise<void> {
  stage.say(
    "When one machine is too small, workers on others take jobs from a queue: meanwhile worker serves a module, connectCluster calls its functions. Here the queue is inside this process and both workers too; with the URL of a Redis or a PostgreSQL they are anywhere. Each develops one photo at a time, and one of them leaves in the middle:",
  );
  stage.code(codeOf(import.meta.url, ["develop", "developAll"]));
  const options = { queue: "tour", concurrency: 1 };
  const module = new URL(import.meta.url);
  await using staying = await serveCluster(module, options);
  await using leaving = await serveCluster(module, options);
  await using lab: Lab = await connectCluster(undefined, { queue: "tour" });
  const laps = new Laps();
  await using _ = createTask(async () => {
    await sleep(DEVELOP_MS * 1.5);
    await leaving.close({ timeoutMs: 0 });
  });
  const photos = await developAll(lab, laps);
  stage.bars(laps.all, laps.totalMs);
  const { returned } = leaving.statistics();
  const given = returned === 1 ? "1 photo" : `${returned} photos`;
  stage.result(
    `All ${photos.length} are there: ${given} of the worker that left went back into the queue, and the other one has developed ${staying.statistics().completed}.`,
  );
}

/** A chapter about other machines. */
export const clusterChapter: Chapter = {
  title: "Past one machine",
  moduleUrl: import.meta.url,
  play,
};
