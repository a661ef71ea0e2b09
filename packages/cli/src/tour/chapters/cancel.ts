// A timeout and a cancellation: every task cleans up before the call returns, and the server is left at once.

import { ClientSession } from "@meanwhile/http";
import { sleep, taskGroup, timeout, TimeoutError } from "meanwhile";

import type { Chapter } from "../chapter.ts";
import { wrap } from "../draw.ts";
import { TourServer } from "../server.ts";
import { codeOf } from "../source.ts";
import type { Stage } from "../stage.ts";

type Log = (text: string) => void;

async function download(session: ClientSession, url: string, log: Log) {
  try {
    log("asks for an answer that takes 10 s");
    await using response = await session.get(url);
    log(await response.text());
  } finally {
    log("cleans up"); // whatever happens
  }
}

async function givenUp(session: ClientSession, url: string, log: Log) {
  try {
    await timeout(200, () => download(session, url, log));
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    log(error.message);
  }
}

async function cancelled(session: ClientSession, url: string, log: Log) {
  await taskGroup(async (group) => {
    for (const name of ["first", "second", "third"]) {
      const logAs: Log = (text) => log(`${name} ${text}`);
      group.createTask(() => download(session, url, logAs));
    }
    await sleep(200);
    log("cancels the group");
    group.cancel("changed my mind");
  });
  log("the group has ended: nothing is left running");
}

async function play(stage: Stage): Promise<void> {
  await using server = await TourServer.start();
  await using session = new ClientSession();
  const url = `${server.origin}/slow`;
  stage.code(codeOf(import.meta.url, ["download", "givenUp"]));
  await givenUp(session, url, timedLog(stage));
  stage.space();
  stage.say("The same for a group of tasks:");
  stage.code(codeOf(import.meta.url, ["cancelled"]));
  await cancelled(session, url, timedLog(stage));
  await sleep(20); // the server hears of it over its sockets
  stage.result(
    `The server saw ${server.abandoned} clients leave early and has ${server.running} requests left. Nobody passed a signal around.`,
  );
}

/** Notes what happens, with the time since it was made. */
function timedLog(stage: Stage): Log {
  const started = performance.now();
  return (text) => {
    const time = `${Math.round(performance.now() - started)} ms  `.padStart("1000 ms  ".length);
    // What does not fit goes on below the text.
    stage.line(wrap(text, " ".repeat(2 + time.length)).replace(/^ +/, time));
  };
}

/** A chapter about ending things early. */
export const cancel: Chapter = { title: "Timeout and cancellation, with cleanup", moduleUrl: import.meta.url, play };
