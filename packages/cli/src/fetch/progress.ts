// Shows the progress of a run on stderr: one line that is redrawn on a terminal, a line now and then elsewhere.

import { sleep } from "meanwhile";

import { printError } from "../output/streams.ts";
import type { ProgressStyle } from "./options.ts";
import { pulseBetween, renderBar, renderPlain } from "./progress-line.ts";
import type { Snapshot, Statistics } from "./statistics.ts";

const REDRAW_MS = 200;
const PLAIN_MS = 10_000;
/** Speeds are those of the last two seconds. */
const PULSE_REDRAWS = 10;
const CLEAR_LINE = "\r\u001b[K";

/** What `auto` means here: a bar only where it does not run into the records. */
export function resolveProgress(style: ProgressStyle): Exclude<ProgressStyle, "auto"> {
  if (style !== "auto") return style;
  if (!process.stderr.isTTY || process.env["TERM"] === "dumb") return "plain";
  return process.stdout.isTTY ? "none" : "bar";
}

/**
 * Shows progress until it is cancelled.
 *
 * Cancellation: the way to end it; the line of the terminal is cleared.
 */
export async function showProgress(style: Exclude<ProgressStyle, "auto">, statistics: Statistics): Promise<void> {
  if (style === "bar") return showBar(statistics);
  if (style === "plain") return showPlain(statistics);
}

async function showBar(statistics: Statistics): Promise<void> {
  const moments: Snapshot[] = [statistics.snapshot()];
  try {
    for (;;) {
      await sleep(REDRAW_MS);
      const latest = statistics.snapshot();
      moments.push(latest);
      const earlier = (moments.length > PULSE_REDRAWS ? moments.shift() : moments[0]) ?? latest;
      const width = (process.stderr.columns ?? 80) - 1; // in the last column some terminals wrap
      printError(`${CLEAR_LINE}${renderBar(latest, pulseBetween(earlier, latest), width)}`);
    }
  } finally {
    printError(CLEAR_LINE);
  }
}

async function showPlain(statistics: Statistics): Promise<void> {
  for (let before = statistics.snapshot(); ;) {
    await sleep(PLAIN_MS);
    const latest = statistics.snapshot();
    printError(`${renderPlain(latest, pulseBetween(before, latest))}\n`);
    before = latest;
  }
}
