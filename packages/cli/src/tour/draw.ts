// Text and bars in at most 80 columns. Pure.

import { formatMs } from "../output/format.ts";
import type { Lap } from "./laps.ts";

/** Nothing is wider. */
export const WIDTH = 80;
const MARGIN = "  ";
const NAME_WIDTH = 20;
const TIME_WIDTH = 8;
const BAR_WIDTH: number = WIDTH - MARGIN.length - NAME_WIDTH - TIME_WIDTH - 2;

/** One line: a name, a bar from `from` to `to` where `full` is the whole width, and how long that was. */
export function drawBar({ name, from, to }: Lap, full: number): string {
  const start = Math.min(BAR_WIDTH - 1, Math.round((from / full) * BAR_WIDTH));
  const length = Math.max(1, Math.min(BAR_WIDTH - start, Math.round(((to - from) / full) * BAR_WIDTH)));
  const bar = `${" ".repeat(start)}${"█".repeat(length)}`;
  const label = clip(name, NAME_WIDTH).padEnd(NAME_WIDTH);
  return `${MARGIN}${label} ${bar.padEnd(BAR_WIDTH)} ${formatMs(to - from).padStart(TIME_WIDTH)}`;
}

/** Text that starts where the bars do. */
export function belowBar(text: string): string {
  return `${" ".repeat(MARGIN.length + NAME_WIDTH + 1)}${text}`;
}

/** Breaks text into lines of at most 80 columns. */
export function wrap(text: string, indent: string = MARGIN): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line].join("\n");
}

/** Breaks lines that are too long at a blank, and indents what follows: for text of others, like warnings. */
export function fold(text: string, indent: string): string {
  const fitted = text.split("\n").flatMap((line) => {
    const [, blanks = "", rest = ""] = /^(\s*)(.*)$/.exec(line) ?? [];
    return wrap(rest, indent + blanks).split("\n");
  });
  return fitted.map((line) => line.trimEnd()).join("\n");
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
