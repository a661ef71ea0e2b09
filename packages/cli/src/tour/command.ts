// `meanwhile tour`: plays the chapters one after another.

import { parseArgs } from "node:util";

import { isCancelled, run } from "meanwhile";

import { EXIT, usageError } from "../errors.ts";
import { print, style } from "../output/streams.ts";
import type { Chapter } from "./chapter.ts";
import { blockedLoop } from "./chapters/blocked-loop.ts";
import { cancel } from "./chapters/cancel.ts";
import { clusterChapter } from "./chapters/cluster.ts";
import { deadlock } from "./chapters/deadlock.ts";
import { everyAwait } from "./chapters/every-await.ts";
import { fetchAllChapter } from "./chapters/fetch-all.ts";
import { forgottenAwait } from "./chapters/forgotten-await.ts";
import { httpChapter } from "./chapters/http.ts";
import { postgresChapter } from "./chapters/postgres.ts";
import { retryChapter } from "./chapters/retry.ts";
import { threeWaits } from "./chapters/three-waits.ts";
import { websocketChapter } from "./chapters/websocket.ts";
import { workersChapter } from "./chapters/workers.ts";
import { whereIs } from "./source.ts";
import { Stage } from "./stage.ts";

/** In the order they are played. A new capability adds its file here. */
const CHAPTERS: readonly Chapter[] = [
  threeWaits,
  fetchAllChapter,
  cancel,
  everyAwait,
  retryChapter,
  httpChapter,
  postgresChapter,
  websocketChapter,
  workersChapter,
  clusterChapter,
  forgottenAwait,
  blockedLoop,
  deadlock,
];

const HELP = `Usage: meanwhile tour [--inspect]

Shows in a few seconds what the runtime does, with measured times, on servers it
starts itself on this machine. Nothing else is asked; what chapters save in
temporary folders is removed again.

  --inspect   prints the address of a page that shows the tour, while it is played
`;

/**
 * Plays the tour.
 *
 * Cancellation: Ctrl-C ends it, with exit code 130.
 */
export async function runTour(args: readonly string[]): Promise<number> {
  const { help = false, inspect = false } = readOptions(args);
  if (help) {
    print(HELP);
    return EXIT.ok;
  }
  try {
    await run(() => (inspect ? playOnPage() : playAll(new Stage())), { name: "tour" });
    return EXIT.ok;
  } catch (error) {
    if (isCancelled(error)) return EXIT.interrupted;
    throw error;
  }
}

async function playOnPage(): Promise<void> {
  const { openTourPage } = await import("./page.ts");
  const stage = new Stage({ isInspected: true });
  await using _page = await openTourPage(stage);
  await playAll(stage);
}

async function playAll(stage: Stage): Promise<void> {
  const started = performance.now();
  print(`\n${style("bold", "meanwhile")}  many waits at once, under control\n`);
  for (const [index, chapter] of CHAPTERS.entries()) {
    stage.heading(index + 1, chapter.title);
    await chapter.play(stage);
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  print(`\n${style("dim", "─".repeat(80))}\n\n`);
  stage.line(`That was the tour, in ${seconds} s. The code it ran, and showed, is here:`);
  stage.space();
  for (const [index, { moduleUrl }] of CHAPTERS.entries()) stage.line(`${index + 1}  ${whereIs(moduleUrl)}`);
  stage.space();
  stage.line("Next: examples/ has a program for each part, and meanwhile fetch --help.");
  stage.space();
}

function readOptions(args: readonly string[]): { help?: boolean | undefined; inspect?: boolean | undefined } {
  try {
    const options = { help: { type: "boolean", short: "h" }, inspect: { type: "boolean" } } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch {
    throw usageError(`tour takes --inspect and nothing else, and got ${args.map((arg) => `"${arg}"`).join(" ")}`);
  }
}
