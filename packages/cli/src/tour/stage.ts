// Where chapters are shown: headings, words, code, bars. Plain text where there are no colours.

import { pathToFileURL } from "node:url";

import { createTask, sleep } from "meanwhile";

import { print, style } from "../output/streams.ts";
import { belowBar, drawBar, fold, WIDTH, wrap } from "./draw.ts";
import type { Lap } from "./laps.ts";

const REDRAW_MS = 100;
const CLEAR_LINE = "\r\u001b[K";

/** Shows things on stdout, in the order they happen. */
export class Stage {
  /** Whether a page shows what this program does. */
  readonly isInspected: boolean;

  constructor({ isInspected = false }: { readonly isInspected?: boolean } = {}) {
    this.isInspected = isInspected;
  }

  heading(number: number, title: string): void {
    const text = `${number}  ${title} `;
    print(`\n${style("bold", text)}${style("dim", "─".repeat(Math.max(0, WIDTH - text.length)))}\n\n`);
  }

  /** A paragraph. */
  say(text: string): void {
    print(`${wrap(text)}\n\n`);
  }

  /** Code, as it stands in its file. */
  code(text: string): void {
    const lines = text.split("\n").map((line) => (line === "" ? "" : `    ${line}`));
    print(`${style("cyan", lines.join("\n"))}\n\n`);
  }

  /** What the code printed or did, one line at a time. */
  line(text: string): void {
    print(`  ${text}\n`);
  }

  /** What another program said, word for word; paths are shown from here. */
  quote(text: string): void {
    const here = pathToFileURL(`${process.cwd()}/`).href;
    const folded = fold(text.replaceAll(here, "").replaceAll(`${process.cwd()}/`, "").trimEnd(), "    ");
    const lines = folded.split("\n").map((line) => `  ${style("yellow", "│")} ${line.slice("    ".length)}`.trimEnd());
    print(`${lines.join("\n")}\n`);
  }

  /** Bars on one scale, under a title. */
  bars(laps: readonly Lap[], fullMs: number): void {
    for (const lap of laps) this.bar(lap, fullMs);
  }

  bar(lap: Lap, fullMs: number): void {
    print(`${drawBar(lap, fullMs).replace(/█+/, (bar) => style("green", bar))}\n`);
  }

  /** A word about the bar above. */
  belowBar(text: string): void {
    print(`${style("dim", belowBar(text))}\n`);
  }

  /**
   * Waits for something that takes long; on a terminal `describe` says how far it is.
   *
   * Cancellation: reaches the work.
   */
  async during<T>(describe: () => string, work: () => Promise<T>): Promise<T> {
    if (!process.stdout.isTTY) return work();
    await using _ = createTask(() => redraw(describe)); // ends with this block
    return await work();
  }

  /** What to keep in mind. */
  result(text: string): void {
    print(`\n${style("bold", wrap(text, "    ").replace("    ", "  → "))}\n`);
  }

  space(): void {
    print("\n");
  }
}

async function redraw(describe: () => string): Promise<never> {
  try {
    for (;;) {
      print(`${CLEAR_LINE}  ${style("dim", describe())}`);
      await sleep(REDRAW_MS);
    }
  } finally {
    print(CLEAR_LINE);
  }
}
