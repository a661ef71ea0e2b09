// What text for people is written on: how wide it is, and whether it has colours. What a program has named is made safe.

import { styleText } from "node:util";

import { escapeControls } from "../output/escape.ts";
import { clipTo } from "../output/text-width.ts";

/** How text looks: the name of a colour, or several. */
export type Style = Parameters<typeof styleText>[0];

/** Names and texts of a program are its own, and may be endless. */
const LONGEST = 500;

/** A terminal, or a file without an edge. */
export class Paper {
  /** In columns; `Infinity` if nothing is cut off. */
  readonly width: number;
  readonly #stream: NodeJS.WriteStream | null;

  /** @param stream - what it is shown on; null for text without colours */
  constructor(width: number, stream: NodeJS.WriteStream | null) {
    this.width = width;
    this.#stream = stream;
  }

  /** That of stdout. */
  static ofStdout(): Paper {
    const { isTTY, columns } = process.stdout;
    return new Paper(isTTY ? columns || 80 : Infinity, process.stdout);
  }

  /** Coloured, where there are colours. */
  style(format: Style, text: string): string {
    return this.#stream === null || text === "" ? text : styleText(format, text, { stream: this.#stream });
  }

  /** A line of its own, cut off at the edge. */
  line(text: string, format: Style | null = null, indent = 0): string {
    const clipped = clipTo(this.width - indent, text);
    return " ".repeat(indent) + (format === null ? clipped : this.style(format, clipped));
  }

  /** Text of several lines, broken between words at the edge. */
  paragraph(text: string, format: Style | null = null, indent = 0): string[] {
    const lines: string[] = [];
    let line = "";
    for (const word of text.split(" ")) {
      const longer = line === "" ? word : `${line} ${word}`;
      if (line !== "" && indent + longer.length > this.width) {
        lines.push(line);
        line = word;
      } else line = longer;
    }
    return [...lines, line].map((broken) => this.line(broken, format, indent));
  }
}

/** What a program says, as text that is safe to show. */
export function safe(text: string): string {
  return escapeControls(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}
