// How records become lines.

import { toSafeJson } from "../../output/escape.ts";
import { COLUMNS, type FieldName, fieldOf } from "../fields.ts";
import type { RecordFormat } from "../io-options.ts";
import type { FetchRecord } from "../record.ts";
import { csvLine, tsvLine } from "./separated.ts";
import { TableFormatter } from "./table.ts";

/** Turns records into text. Every line ends as its format ends lines. */
export interface Formatter {
  /** What stands before all records; empty if nothing does. */
  readonly head: string;
  line(record: FetchRecord): string;
}

/** What a formatter may do for people. */
export interface FormatterOptions {
  readonly fields: readonly FieldName[] | undefined;
  /** The width of the terminal in columns. */
  readonly width: number;
  readonly hasColours: boolean;
}

export function createFormatter(format: RecordFormat, options: FormatterOptions): Formatter {
  const { fields } = options;
  if (format === "jsonl")
    return { head: "", line: fields === undefined ? jsonLine : (record) => jsonOf(record, fields) };
  if (format === "table") return new TableFormatter(options);
  const columns = fields ?? COLUMNS;
  const lineOf = format === "csv" ? csvLine : tsvLine;
  return { head: lineOf(columns), line: (record) => lineOf(columns.map((name) => fieldOf(record, name))) };
}

function jsonLine(record: FetchRecord): string {
  return `${toSafeJson(record)}\n`;
}

/** `error` and `redirects` keep their form here; all others are plain values. */
function jsonOf(record: FetchRecord, fields: readonly FieldName[]): string {
  const entries = fields.map((name): readonly [string, unknown] => {
    return [name, name === "error" || name === "redirects" ? record[name] : fieldOf(record, name)];
  });
  return `${toSafeJson(Object.fromEntries(entries))}\n`;
}
