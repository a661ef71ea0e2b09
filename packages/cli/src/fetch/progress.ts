// Shows the progress of a run on stderr: a few lines that are redrawn on a terminal, a line now and then elsewhere.

import { sleep } from "meanwhile";

import { printError } from "../output/streams.ts";
import type { ProgressStyle } from "./options.ts";
import { pulseBetween, renderBar, renderHosts, renderJson, renderPlain } from "./progress-line.ts";
import type { Snapshot, Statistics } from "./statistics.ts";

const REDRAW_MS = 200;
const PLAIN_MS = 10_000;
const JSON_MS = 1_000;
const SHOWN_HOSTS = 8;
/** Fewer are no help: the line above says the same. */
const LEAST_HOSTS = 2;
/** Speeds are those of the last two seconds. */
const PULSE_REDRAWS = 10;
const CLEAR_BELOW = "\r\u001b[J";

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
  if (style === "plain") return showLines(statistics, PLAIN_MS, (...now) => `${renderPlain(...now)}\n`);
  if (style === "json") return showLines(statistics, JSON_MS, renderJson);
}

async function showBar(statistics: Statistics): Promise<void> {
  const moments: Snapshot[] = [statistics.snapshot()];
  let clear = CLEAR_BELOW;
  try {
    for (;;) {
      await sleep(REDRAW_MS);
      const latest = statistics.snapshot();
      moments.push(latest);
      const earlier = (moments.length > PULSE_REDRAWS ? moments.shift() : moments[0]) ?? latest;
      const width = (process.stderr.columns || 80) - 1; // a terminal that does not know says 0; in the last column some terminals wrap
      const lines = [renderBar(latest, pulseBetween(earlier, latest), width), ...hostLines(statistics, width)];
      printError(`${clear}${lines.join("\n")}`);
      clear = lines.length === 1 ? CLEAR_BELOW : `\u001b[${lines.length - 1}A${CLEAR_BELOW}`;
    }
  } finally {
    printError(clear);
  }
}

function hostLines({ hosts }: Statistics, width: number): string[] {
  const rows = Math.min(SHOWN_HOSTS, (process.stderr.rows || 24) - 2);
  return hosts.size < LEAST_HOSTS || rows < 1 ? [] : renderHosts(hosts.slowest(rows), width);
}

type Render = (latest: Snapshot, pulse: ReturnType<typeof pulseBetween>) => string;

async function showLines(statistics: Statistics, everyMs: number, render: Render): Promise<void> {
  for (let before = statistics.snapshot(); ;) {
    await sleep(everyMs);
    const latest = statistics.snapshot();
    printError(render(latest, pulseBetween(before, latest)));
    before = latest;
  }
}
