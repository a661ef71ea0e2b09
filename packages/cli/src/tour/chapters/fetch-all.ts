// Many URLs: one after another, all at once, and a few at a time. The server counts what reaches it.

import { ClientSession } from "@meanwhile/http";
import { gather } from "meanwhile";

import type { Chapter } from "../chapter.ts";
import { TourServer } from "../server.ts";
import { codeOf } from "../source.ts";
import type { Stage } from "../stage.ts";

const COUNT = 300;
const AT_ONCE = 20;

async function fetchText(session: ClientSession, url: string) {
  await using response = await session.get(url);
  return await response.text();
}

async function sequential(session: ClientSession, urls: string[]) {
  const texts: string[] = [];
  for (const url of urls) texts.push(await fetchText(session, url));
  return texts;
}

async function fetchAll(session: ClientSession, urls: string[]) {
  return gather(urls.map((url) => () => fetchText(session, url)));
}

async function bounded(session: ClientSession, urls: string[]) {
  const jobs = urls.map((url) => () => fetchText(session, url));
  return gather(jobs, { concurrency: AT_ONCE });
}

async function play(stage: Stage): Promise<void> {
  await using server = await TourServer.start();
  stage.say(`${COUNT} URLs of a server on 127.0.0.1 that takes 5 to 15 ms for each:`);
  stage.code(codeOf(import.meta.url, ["fetchText", "sequential", "fetchAll", "bounded"]));
  const urls = Array.from({ length: COUNT }, (_, index) => `${server.origin}/users/${index + 1}`);
  await using session = new ClientSession({ limit: COUNT });
  const ways = { "one after another": sequential, "all at once": fetchAll, [`${AT_ONCE} at a time`]: bounded };
  const measured: number[] = [];
  for (const [name, way] of Object.entries(ways)) {
    server.reset();
    const started = performance.now();
    const texts = await stage.during(
      () => `${name}: ${server.answered} of ${COUNT}, ${server.running} running`,
      () => way(session, urls),
    );
    const ms = performance.now() - started;
    measured.push(ms);
    const longest = measured[0] ?? ms;
    stage.bar({ name, from: 0, to: ms }, longest);
    stage.belowBar(`${texts.length} answers; the server saw at most ${server.mostRunning} at once`);
  }
  const [one = 0, all = 1, few = 1] = measured;
  stage.result(
    `${(one / all).toFixed(0)} times sooner at once; ${(one / few).toFixed(0)} times with ${AT_ONCE} at a time, which a server you do not own can bear.`,
  );
}

/** The note's real example. */
export const fetchAllChapter: Chapter = {
  title: `Fetching ${COUNT} URLs`,
  moduleUrl: import.meta.url,
  play,
};
