// A session at work: cookies, a server that asks for a pause, a download that breaks off, an answer that never ends.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ClientSession, download } from "@meanwhile/http";
import { fixed, gather, moveOnAfter, sleep } from "meanwhile";

import { formatBytes } from "../../output/format.ts";
import type { Chapter } from "../chapter.ts";
import { Laps } from "../laps.ts";
import { FILE_SHA256, Shop } from "../shop.ts";
import { codeOf } from "../source.ts";
import type { Stage } from "../stage.ts";

async function logIn(session: ClientSession) {
  await using _ = await session.post("/login"); // sets a cookie
  await using response = await session.get("/hello"); // gets it back
  return await response.text();
}

async function buy(session: ClientSession, what: string, laps: Laps) {
  using _ = laps.start(what);
  await using response = await session.get(what, { retry: 3 });
  return await response.text();
}

async function buyBoth(session: ClientSession, laps: Laps) {
  const later = async () => {
    await sleep(200);
    return buy(session, "/milk", laps);
  };
  return gather([() => buy(session, "/bread", laps), later]);
}

async function fetchFile(session: ClientSession, path: string) {
  return download(session, "/file", path, {
    checksum: { sha256: FILE_SHA256 },
    retry: { attempts: 3, backoff: fixed(50) },
  });
}

async function readForAWhile(session: ClientSession) {
  let bytes = 0;
  await moveOnAfter(100, async () => {
    await using response = await session.get("/endless");
    for await (const chunk of response.stream()) bytes += chunk.length;
  });
  return bytes;
}

async function play(stage: Stage): Promise<void> {
  await using shop = await Shop.start();
  await using session = new ClientSession({ baseUrl: shop.origin, cookies: true });
  stage.say("A session keeps cookies:");
  stage.code(codeOf(import.meta.url, ["logIn"]));
  stage.line(await logIn(session));
  stage.space();
  await playPause(stage, session, shop);
  await playDownload(stage, session, shop);
  stage.say("An answer that never ends is left where time is up:");
  stage.code(codeOf(import.meta.url, ["readForAWhile"]));
  const bytes = await readForAWhile(session);
  await sleep(20); // the server hears of it over its socket
  const { inUse } = session.statistics();
  stage.line(`${bytes} bytes came in 100 ms`);
  stage.result(
    `The server saw ${shop.abandoned} client leave, and the session has ${inUse} requests under way. Every connection is closed or kept for the next.`,
  );
}

async function playPause(stage: Stage, session: ClientSession, shop: Shop): Promise<void> {
  stage.say("The server answers the first customer with 429 and Retry-After: 1. The whole session leaves it alone:");
  stage.code(codeOf(import.meta.url, ["buy", "buyBoth"]));
  const laps = new Laps();
  await buyBoth(session, laps);
  stage.bars(laps.all, laps.totalMs);
  stage.belowBar(`${shop.tooEarly} requests came within the second it had asked for`);
  stage.space();
}

async function playDownload(stage: Stage, session: ClientSession, shop: Shop): Promise<void> {
  stage.say("A download that breaks off in its middle goes on there, and is checked:");
  stage.code(codeOf(import.meta.url, ["fetchFile"]));
  const folder = await mkdtemp(join(tmpdir(), "meanwhile-tour-"));
  try {
    const { bytes } = await fetchFile(session, join(folder, "file"));
    const [, resumedAt = 0] = shop.askedFrom;
    stage.line(
      `${formatBytes(bytes)} saved; the second request asked for what is behind the first ${formatBytes(resumedAt)}`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
  stage.space();
}

/** A chapter about HTTP sessions. */
export const httpChapter: Chapter = {
  title: "A session: cookies, pauses, downloads",
  moduleUrl: import.meta.url,
  play,
};
