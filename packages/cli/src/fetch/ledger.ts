// Where every record goes through: counted, formatted, put in order, written, noted in the journal.

import type { LineWriter } from "../output/line-writer.ts";
import type { Formatter } from "./formats/formatter.ts";
import { noteOf } from "./journal.ts";
import { OrderedEntries } from "./ordered.ts";
import type { FetchRecord } from "./record.ts";
import type { Statistics } from "./statistics.ts";

/** How far the list is read ahead of the first URL that has no record yet. */
const WINDOW = 10_000;
const MEMORY = 32 * 1024 * 1024;

export interface LedgerOptions {
  readonly statistics: Statistics;
  readonly writer: LineWriter;
  readonly formatter: Formatter;
  readonly ordered: boolean;
  /** Whether URLs that are skipped have no records. */
  readonly quietSkipped: boolean;
}

export class Ledger implements Disposable {
  readonly #options: LedgerOptions;
  readonly #ordered: OrderedEntries | undefined;

  constructor(options: LedgerOptions) {
    this.#options = options;
    const { writer } = options;
    if (!options.ordered) return;
    this.#ordered = new OrderedEntries({
      window: WINDOW,
      memory: MEMORY,
      emit: ({ line, note }) => writer.write(line, note),
    });
  }

  /** Takes the one record of a URL. `key` is that of the journal; empty for what is not noted. */
  record(record: FetchRecord, key: string): void {
    const { statistics, quietSkipped, formatter, writer } = this.#options;
    statistics.count(record);
    const note = noteOf(key, record);
    if (record.skipped !== undefined && quietSkipped) {
      this.#ordered?.put(record.index, note === undefined ? null : { line: "", note });
      if (this.#ordered === undefined && note !== undefined) writer.write("", note);
      return;
    }
    const line = formatter.line(record);
    if (this.#ordered === undefined) writer.write(line, note);
    else this.#ordered.put(record.index, { line, note });
  }

  /**
   * Waits while the reader of the records is far behind; null if it is not.
   *
   * Cancellation: safe.
   */
  whenRoom(): Promise<void> | null {
    return this.#options.writer.whenRoom();
  }

  /**
   * With `ordered`, waits while the URL of this index is too far ahead; null if it is not.
   *
   * Cancellation: safe.
   */
  whenOpen(index: number): Promise<void> | null {
    return this.#ordered?.whenOpen(index) ?? null;
  }

  /** Hands out what waits for the records of URLs that will have none. */
  flush(): void {
    this.#ordered?.flush();
  }

  [Symbol.dispose](): void {
    this.#ordered?.[Symbol.dispose]();
  }
}
