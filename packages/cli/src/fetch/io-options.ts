// What a run reads, what it writes about each URL, and what it remembers.

import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

import { usageError } from "../errors.ts";
import { checkFields, type FieldName } from "./fields.ts";
import { parseDurationMs } from "./quantities.ts";
import { choose, read, readCount, type Values } from "./read-options.ts";

export type InputFormat = "auto" | "txt" | "jsonl";
export type RecordFormat = "jsonl" | "csv" | "tsv" | "table";

/** Times in milliseconds; `Infinity` is no limit. */
export interface IoOptions {
  readonly inputFormat: InputFormat;
  /** Whether what the list names twice is requested once. */
  readonly dedupe: boolean;
  readonly maxUrls: number;
  readonly retryAllMethods: boolean;
  /** How long requests may go on after the first signal. */
  readonly graceMs: number;
  /** The journal. */
  readonly state: string | undefined;
  readonly onlyFailed: boolean;
  readonly quietSkipped: boolean;
  /** The file the records are appended to, instead of stdout. */
  readonly recordsFile: string | undefined;
  /** Undefined if it was not said. */
  readonly format: RecordFormat | undefined;
  /** Undefined for all that a format has. */
  readonly fields: readonly FieldName[] | undefined;
  readonly ordered: boolean;
  readonly trace: string | undefined;
}

const INPUT_FORMATS: readonly InputFormat[] = ["auto", "txt", "jsonl"];
const RECORD_FORMATS: readonly RecordFormat[] = ["jsonl", "csv", "tsv", "table"];

/** @throws {@link CommandError} with exit code 2 */
export function readIoOptions(values: Values): IoOptions {
  const { state, jsonl, format, fields, trace } = values;
  if (values["only-failed"] && state === undefined) throw usageError("--only-failed needs --state FILE");
  for (const [option, path] of Object.entries({ state, jsonl, trace })) {
    if (path === "") throw usageError(`--${option} needs the name of a file`);
  }
  const written = { "--state": state, "--jsonl": jsonl, "--trace": trace, "--cookie-jar": values["cookie-jar"] };
  checkFiles(written, values.input ?? []);
  const chosen = format === undefined ? undefined : choose("--format", format, RECORD_FORMATS);
  if (jsonl !== undefined && chosen !== undefined && chosen !== "jsonl") {
    throw usageError(`--jsonl writes JSON lines; for ${chosen} use --format alone and redirect stdout`);
  }
  return {
    inputFormat: choose("--input-format", values["input-format"], INPUT_FORMATS),
    dedupe: values.dedupe,
    maxUrls: values["max-urls"] === undefined ? Infinity : readCount("--max-urls", values["max-urls"], 1),
    retryAllMethods: values["retry-all-methods"],
    graceMs: read("--grace", values.grace, parseDurationMs, "seconds, or a time like 500ms or 2m; 0 for none"),
    state,
    onlyFailed: values["only-failed"],
    quietSkipped: values["quiet-skipped"],
    recordsFile: jsonl,
    format: chosen,
    fields: fields === undefined ? undefined : checkFields(fields),
    ordered: values.ordered,
    trace,
  };
}

/** No file may be what two options write, or what one writes and another reads. */
function checkFiles(written: Readonly<Record<string, string | undefined>>, lists: readonly string[]): void {
  const uses = new Map(lists.filter((path) => path !== "-").map((path) => [realPath(path), "-i"]));
  for (const [option, path] of Object.entries(written)) {
    if (path === undefined || path.startsWith("/dev/")) continue;
    const other = uses.get(realPath(path));
    if (other !== undefined) throw usageError(`${other} and ${option} cannot use the same file "${path}"`);
    uses.set(realPath(path), option);
  }
}

/** Without links, as far as it is there. */
function realPath(path: string): string {
  const absolute = resolve(path);
  for (const [known, rest] of [
    [absolute, ""],
    [dirname(absolute), basename(absolute)],
  ] as const) {
    try {
      return join(realpathSync(known), rest);
    } catch {
      // It is not there yet.
    }
  }
  return absolute;
}
