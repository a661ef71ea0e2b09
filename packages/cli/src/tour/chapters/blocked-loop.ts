// Code that computes without a pause keeps everybody waiting: it is told which line, while it does so.

import { checkpoint, gather, sleep } from "meanwhile";

import { formatMs } from "../../output/format.ts";
import type { Chapter } from "../chapter.ts";
import { runAsProgram } from "../child.ts";
import { codeOf } from "../source.ts";
import type { Stage } from "../stage.ts";

const LINES = 4_000;

/** Computes for a tenth of a millisecond. */
function parseLine(): void {
  const until = performance.now() + 0.1;
  while (performance.now() < until);
}

async function parseAll(): Promise<void> {
  for (let line = 0; line < LINES; line += 1) parseLine();
}

async function parseInTurns(): Promise<void> {
  for (let line = 0; line < LINES; line += 1) {
    parseLine();
    await checkpoint(); // free, unless somebody else has waited for 5 ms
  }
}

/** How late a heartbeat every 20 ms is, at worst, while that goes on. */
async function latestBeat(parse: () => Promise<void>): Promise<number> {
  const beats = { latestMs: 0, isOver: false };
  await gather([
    async function heartbeat() {
      for (let dueMs = performance.now() + 20; !beats.isOver; dueMs += 20) {
        await sleep(Math.max(0, dueMs - performance.now()));
        beats.latestMs = Math.max(beats.latestMs, performance.now() - dueMs);
      }
    },
    async function parser() {
      await sleep(30);
      await parse();
      beats.isOver = true;
    },
  ]);
  return beats.latestMs;
}

// The program of the chapter is heard on stderr.
async function blocks(): Promise<void> {
  const latestMs = await latestBeat(parseAll);
  process.stderr.write(`The heartbeat was late by ${formatMs(latestMs)}.\n`);
}

async function play(stage: Stage): Promise<void> {
  stage.say(
    "await gives the others a turn; code between two of them does not. A worker thread sees that the event loop stands still, and says why while it does. A program in debug mode, beside a heartbeat every 20 ms:",
  );
  stage.code(codeOf(import.meta.url, ["parseAll"]));
  const { stderr } = await runAsProgram(import.meta.url, "blockedLoop", { debug: true });
  stage.quote(stderr.replaceAll("(meanwhile) ", ""));
  stage.space();
  stage.say("The same with the first remedy:");
  stage.code(codeOf(import.meta.url, ["parseInTurns"]));
  stage.line(`The heartbeat was late by ${formatMs(await latestBeat(parseInTurns))}.`);
  // Seen on the page only if it is this program that is blocked.
  if (stage.isInspected) await latestBeat(parseAll);
  stage.result("Whoever blocks the event loop is named, with the line, before anybody has to ask.");
}

/** A chapter about the third mistake. */
export const blockedLoop: Chapter = {
  title: "A blocked event loop, caught",
  moduleUrl: import.meta.url,
  program: blocks,
  play,
};
