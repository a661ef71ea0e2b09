// Three waits: one after another, then together.

import { gather, sleep } from "meanwhile";

import type { Chapter } from "../chapter.ts";
import { Laps } from "../laps.ts";
import { codeOf } from "../source.ts";
import type { Stage } from "../stage.ts";

const URLS = ["api.com/1", "api.com/2", "api.com/3"];

async function fetchData(url: string, laps: Laps) {
  using _ = laps.start(url); // measures this block, for the bars
  await sleep(300); // the network
  return `Data from ${url}`;
}

async function oneAfterAnother(laps: Laps) {
  for (const url of URLS) await fetchData(url, laps);
}

async function together(laps: Laps) {
  await gather(URLS.map((url) => () => fetchData(url, laps)));
}

async function play(stage: Stage): Promise<void> {
  stage.say("A program that waits for the network does nothing meanwhile. Three waits of 300 ms:");
  stage.code(codeOf(import.meta.url, ["fetchData", "oneAfterAnother", "together"]));
  const before = new Laps();
  await oneAfterAnother(before);
  stage.bars(before.all, before.totalMs);
  const after = new Laps();
  await together(after);
  stage.space();
  stage.bars(after.all, before.totalMs);
  const [slow, fast] = [before, after].map(({ totalMs }) => (totalMs / 1_000).toFixed(2));
  stage.result(`${slow} s one after another, ${fast} s together. Nothing ran faster: the waits overlap.`);
}

/** The first chapter. */
export const threeWaits: Chapter = {
  title: "Waiting, one after another and together",
  moduleUrl: import.meta.url,
  play,
};
