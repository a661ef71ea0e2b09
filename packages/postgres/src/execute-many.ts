// One statement with many lists of arguments: parsed once, sent in batches as fast as the server takes them, all or nothing.

import { badArgument } from "./checks.ts";
import { type FailedStatement, PostgresError } from "./errors.ts";
import { MessageWriter } from "./message-writer.ts";
import { beginsCopy } from "./session-state.ts";
import { asError, StatementOperation } from "./statement-operation.ts";
import { quoted } from "./statement-text.ts";
import type { Statement } from "./statement.ts";
import type { Wire } from "./wire.ts";

/** What is encoded and written at once. */
const BATCH_BYTES = 64 * 1024;
/**
 * Executed when the rest cannot be sent: there is none of that name, and an error before the Sync undoes what was done so far.
 */
const NO_PORTAL = "mw_given_up";

/**
 * Comes to how often it was executed. There is one Sync, at the end, so that outside of a transaction it is one by itself.
 */
export class ExecuteMany extends StatementOperation<number> {
  readonly #given: Iterable<ReadonlyArray<unknown>>;
  #lists: Iterator<ReadonlyArray<unknown>>;
  // Of its own: what gives the lists may run statements on other connections.
  readonly #writer = new MessageWriter();
  // The lists that were sent and not answered, oldest first: for the error, which is about the oldest.
  #unanswered: Array<ReadonlyArray<unknown>> = [];
  #answered = 0;
  #count = 0;
  // Whether the server may have executed anything.
  #isBegun = false;
  // How many of the unanswered are answered by now: shifting each off would cost more.
  #done = 0;

  /** @param lists - iterated as they are sent: nothing of it may wait */
  constructor(text: string, lists: Iterable<ReadonlyArray<unknown>>, held: Statement | null = null) {
    // Something, so that types are waited for.
    super(text, ["lists"], held);
    const given: unknown = lists;
    if (typeof given !== "object" || given === null || !(Symbol.iterator in given))
      throw badArgument("argLists", given, "lists of arguments, like [[1, 'a'], [2, 'b']]");
    if (beginsCopy(text)) throw noCopying(text);
    this.#given = lists;
    this.#lists = lists[Symbol.iterator]();
  }

  protected override execute(wire: Wire, statement: Statement): void {
    const writer = this.#writer;
    while (!this.isSynced) {
      const isLast = this.#addBatch(statement);
      if (isLast) writer.sync();
      this.isSynced = isLast;
      this.#isBegun = true;
      if (!wire.write(writer.take())) return;
    }
  }

  /** Whether there are no more lists, or none that can be sent. */
  #addBatch(statement: Statement): boolean {
    const writer = this.#writer;
    while (writer.length < BATCH_BYTES) {
      const start = writer.length;
      try {
        const { done, value } = this.#lists.next();
        if (done === true) return true;
        if (!Array.isArray(value)) throw badArgument(`argLists[${this.#count}]`, value, "an array of arguments");
        this.#unanswered.push(value);
        writer.bind("", statement.name, statement.encode(value, this.#count)).execute("", 0);
        this.#count += 1;
      } catch (error) {
        writer.cut(this.#isBegun ? start : 0);
        if (!this.#isBegun) throw error;
        this.failure ??= asError(error);
        writer.execute(NO_PORTAL, 0);
        return true;
      }
    }
    return false;
  }

  override handleDrain(): void {
    const { wire, statement } = this;
    if (wire === null || statement === null || this.isSynced) return;
    if (!wire.isInterrupted) return this.execute(wire, statement);
    this.isSynced = true;
    wire.write(this.#writer.execute(NO_PORTAL, 0).sync().take());
  }

  override handleCommandComplete(): void {
    this.#answered += 1;
    this.#done += 1;
    if (this.#done < 1_024) return;
    this.#unanswered = this.#unanswered.slice(this.#done);
    this.#done = 0;
  }

  protected override failed(): FailedStatement {
    const { text } = this;
    // When all are done it is the commit that has failed.
    if (this.#answered === this.#count) return { text, args: [] };
    return { text, args: this.#unanswered[this.#done] ?? [], index: this.#answered };
  }

  protected override get isRepeatable(): boolean {
    return !this.#isBegun || Array.isArray(this.#given);
  }

  protected override forget(): void {
    const { length } = this.#unanswered;
    if (Array.isArray(this.#given)) this.#lists = this.#given[Symbol.iterator]();
    else if (length > 0) this.#lists = chained(this.#unanswered, this.#lists);
    this.#unanswered = [];
    this.#count = 0;
    this.#answered = 0;
    this.#done = 0;
    this.#isBegun = false;
  }

  override result(): number {
    return this.#answered;
  }
}

function* chained<T>(first: readonly T[], rest: Iterator<T>): Generator<T> {
  yield* first;
  for (let next = rest.next(); next.done !== true; next = rest.next()) yield next.value;
}

function noCopying(text: string): PostgresError {
  const what = `Cannot run ${quoted(text)} with lists of arguments: it copies; pass it to copyFrom(), with its rows`;
  return new PostgresError("MW_ERR_PG_COPY", what);
}
