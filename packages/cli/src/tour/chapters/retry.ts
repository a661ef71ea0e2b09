// A server that fails twice: tried again, with growing waits.

import { ClientSession } from "@meanwhile/http";
import { exponential, retry } from "meanwhile";

import type { Chapter } from "../chapter.ts";
import { Laps } from "../laps.ts";
import { TourServer } from "../server.ts";
import { codeOf } from "../source.ts";
import type { Stage } from "../stage.ts";

async function getFlaky(session: ClientSession, url: string, laps: Laps) {
  using _ = laps.start(`attempt ${laps.all.length + 1}`);
  await using response = await session.get(url, { raiseForStatus: true });
  return await response.text();
}

async function patiently(session: ClientSession, url: string, laps: Laps) {
  return retry(() => getFlaky(session, url, laps), {
    attempts: 5,
    backoff: exponential({ baseMs: 150, factor: 2, jitter: "none" }),
  });
}

async function play(stage: Stage): Promise<void> {
  await using server = await TourServer.start();
  await using session = new ClientSession();
  stage.say("The server answers 503 twice, then as it should:");
  stage.code(codeOf(import.meta.url, ["getFlaky", "patiently"]));
  const laps = new Laps();
  const text = await patiently(session, `${server.origin}/flaky`, laps);
  stage.bars(laps.all, laps.totalMs);
  stage.result(`The answer after ${laps.all.length} attempts: ${text}`);
}

/** A chapter about trying again. */
export const retryChapter: Chapter = { title: "Trying again", moduleUrl: import.meta.url, play };
