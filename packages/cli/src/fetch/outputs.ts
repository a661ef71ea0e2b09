// Opens what a run writes: the records, the journal and the trace. All of it before anything is requested.

import { existsSync, rmSync } from "node:fs";
import { styleText } from "node:util";

import { escapeControls } from "../output/escape.ts";
import { LineWriter } from "../output/line-writer.ts";
import { printError } from "../output/streams.ts";
import { createFormatter, type Formatter } from "./formats/formatter.ts";
import { Journal } from "./journal.ts";
import { Ledger } from "./ledger.ts";
import { type FetchOptions, isForBody } from "./options.ts";
import { RecordsFile } from "./records-file.ts";
import type { Statistics } from "./statistics.ts";
import { Trace } from "./trace.ts";

const STDOUT = 1;
const DEFAULT_WIDTH = 100;

export class Outputs {
  readonly journal: Journal | undefined;
  readonly trace: Trace | undefined;
  readonly ledger: Ledger;
  readonly writer: LineWriter;
  readonly #records: RecordsFile | undefined;

  /** @throws {@link CommandError} with exit code 3 if one cannot be written */
  constructor(options: FetchOptions, statistics: Statistics) {
    const { state, recordsFile, trace, fields } = options;
    using opened = new DisposableStack();
    const isNew = state !== undefined && !existsSync(state);
    this.journal = state === undefined ? undefined : opened.use(Journal.open(state));
    opened.defer(() => {
      if (isNew) rmSync(state, { force: true }); // what has never begun leaves no state behind
    });
    this.#records =
      recordsFile === undefined
        ? undefined
        : RecordsFile.open(recordsFile, { saved: this.journal?.saved, fields, journal: state });
    opened.defer(() => this.#records?.close(this.journal?.saved === undefined));
    this.writer = new LineWriter({
      fd: this.#records?.fd ?? STDOUT,
      name: recordsFile === undefined ? "stdout" : `"${recordsFile}"`,
      onWritten: (notes, bytes) => this.#onWritten(notes, bytes),
    });
    this.ledger = new Ledger({
      statistics,
      writer: this.writer,
      formatter: this.#openFormatter(options),
      ordered: options.ordered,
      quietSkipped: options.quietSkipped || this.#hasTheirRecords(),
    });
    this.trace = trace === undefined ? undefined : Trace.open(trace);
    opened.move();
  }

  /**
   * Notes where the file of records ends, so that whatever a killed run adds is known to be unfinished.
   *
   * Cancellation: not noticed; it only waits for the disk.
   */
  async begin(): Promise<void> {
    if (this.journal !== undefined) await this.journal.commit([], await this.#records?.sync());
  }

  /**
   * Writes what waits, and closes everything.
   *
   * Cancellation: held back where something is written.
   */
  async end(): Promise<void> {
    let isComplete = false;
    try {
      if (!this.writer.isBroken) await this.writer.flush();
      if (!this.writer.isBroken) {
        await this.journal?.end();
        isComplete = true;
      }
    } finally {
      this.ledger[Symbol.dispose]();
      this.journal?.[Symbol.dispose]();
      this.#records?.close(isComplete);
      await this.trace?.close();
    }
  }

  // Where the records of the earlier runs are, one that says "skipped" would be a second one.
  #hasTheirRecords(): boolean {
    return this.#records?.isContinued === true && this.journal?.isEmpty === false;
  }

  #openFormatter(options: FetchOptions): Formatter {
    const { format = "jsonl", fields } = options;
    if (isForBody(options)) return errorsOnly;
    const hasColours = process.stdout.isTTY && styleText("red", "x", { stream: process.stdout }) !== "x";
    const formatter = createFormatter(format, { fields, width: widthOf(process.stdout), hasColours });
    if (formatter.head !== "") this.writer.write(formatter.head);
    return formatter;
  }

  async #onWritten(notes: readonly string[], bytes: number): Promise<void> {
    this.#records?.grow(bytes);
    if (this.journal === undefined || notes.length === 0) return;
    await this.journal.commit(notes, await this.#records?.sync());
  }
}

/** In columns; a terminal that does not know says 0. */
export function widthOf({ isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number }): number {
  return (isTTY === true && columns) || DEFAULT_WIDTH;
}

/** Where the body is what stdout is for, stderr has to say why there is none. */
const errorsOnly: Formatter = {
  head: "",
  line({ error }) {
    if (error !== undefined) printError(`meanwhile: ${error.code}: ${escapeControls(error.message)}\n`);
    return "";
  },
};
