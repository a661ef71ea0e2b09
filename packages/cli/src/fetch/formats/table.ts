// Records for people: columns of a fixed width, so that a line can be shown as soon as it is there.

import { styleText } from "node:util";

import { escapeControls } from "../../output/escape.ts";
import { formatBytes, formatMs } from "../../output/format.ts";
import { type FieldName, fieldOf } from "../fields.ts";
import type { FetchRecord } from "../record.ts";
import type { Formatter, FormatterOptions } from "./formatter.ts";

const COLUMNS: readonly FieldName[] = ["status", "ms", "bytes", "url", "error"];
const DEFAULT_WIDTH = 16;
const WIDTHS: Readonly<Partial<Record<FieldName, number>>> = {
  index: 7,
  status: 6,
  ok: 5,
  skipped: 9,
  bytes: 8,
  ms: 8,
  ttfbMs: 8,
  attempts: 8,
  "error.code": 16,
};
const RIGHT: ReadonlySet<FieldName> = new Set<FieldName>(["index", "bytes", "ms", "ttfbMs", "attempts"]);
// These share what is left of the line.
const LONG: ReadonlySet<FieldName> = new Set<FieldName>([
  "url",
  "finalUrl",
  "error",
  "error.message",
  "redirects",
  "body",
]);
const LEAST_LONG = 12;
const GAP = "  ";

export class TableFormatter implements Formatter {
  readonly head: string;
  readonly #columns: ReadonlyArray<{ readonly name: FieldName; readonly width: number }>;
  readonly #hasColours: boolean;

  constructor({ fields = COLUMNS, width, hasColours }: FormatterOptions) {
    const long = fields.filter((name) => LONG.has(name)).length;
    const fixed = fields.reduce((sum, name) => sum + (LONG.has(name) ? 0 : widthOf(name)) + GAP.length, -GAP.length);
    const share = Math.max(LEAST_LONG, Math.floor((width - fixed) / Math.max(1, long)));
    this.#columns = fields.map((name) => ({ name, width: LONG.has(name) ? share : widthOf(name) }));
    this.#hasColours = hasColours;
    this.head = this.#colour(
      "bold",
      this.#row((name) => name.toUpperCase()),
    );
  }

  line(record: FetchRecord): string {
    const text = this.#row((name) => cellOf(record, name));
    if (record.skipped !== undefined) return this.#colour("dim", text);
    return record.ok ? text : this.#colour("red", text);
  }

  #row(cell: (name: FieldName) => string): string {
    const cells = this.#columns.map(({ name, width }) => fit(cell(name), width, RIGHT.has(name)));
    return `${cells.join(GAP).trimEnd()}\n`;
  }

  #colour(format: "bold" | "dim" | "red", line: string): string {
    return this.#hasColours ? `${styleText(format, line.slice(0, -1), { validateStream: false })}\n` : line;
  }
}

function widthOf(name: FieldName): number {
  return WIDTHS[name] ?? DEFAULT_WIDTH;
}

function cellOf(record: FetchRecord, name: FieldName): string {
  if (name === "bytes") return formatBytes(record.bytes);
  if (name === "ms") return formatMs(record.ms);
  if (name === "ttfbMs" && record.ttfbMs !== undefined) return formatMs(record.ttfbMs);
  if (name === "status" && record.status === undefined) return record.skipped === undefined ? "-" : "skip";
  return escapeControls(String(fieldOf(record, name) ?? ""));
}

/** Long text keeps its start. Nothing is cut in the middle of a character. */
function fit(text: string, width: number, isRight: boolean): string {
  const shown = text.length <= width ? text : `${text.slice(0, width - 1).replace(/[\ud800-\udbff]$/, "")}…`;
  return isRight ? shown.padStart(width) : shown.padEnd(width);
}
