// A cursor of the protocol: rows of one statement, some at a time. It lives in the transaction it was opened in.

import { writer } from "./message-writer.ts";
import { Operation } from "./operation.ts";
import { valueError } from "./query.ts";
import { StatementOperation } from "./statement-operation.ts";
import type { Statement } from "./statement.ts";
import type { Wire } from "./wire.ts";

/** Some rows. */
export interface RowBatch<T> {
  readonly rows: T[];
  /** Whether these were the last. */
  readonly isLast: boolean;
}

let newest = 0;

/** Makes the operations of one cursor: `open` once, `fetch` until the last batch, `close` if it did not come to that. */
export class Portal<T> {
  readonly #name: string;
  readonly #text: string;
  readonly #args: ReadonlyArray<unknown>;
  readonly #held: Statement | null;
  #statement: Statement | null = null;

  constructor(text: string, args: ReadonlyArray<unknown>, held: Statement | null = null) {
    newest += 1;
    this.#name = `mwp${newest}`;
    this.#text = text;
    this.#args = args;
    this.#held = held;
  }

  /** Opens it and gets the first rows. */
  open(limit: number): Operation<RowBatch<T>> {
    return new OpenPortal<T>(
      this.#name,
      limit,
      { text: this.#text, args: this.#args, held: this.#held },
      (statement) => {
        this.#statement = statement;
      },
    );
  }

  /** Gets the next rows. */
  fetch(limit: number): Operation<RowBatch<T>> {
    return new FetchPortal<T>(this.#text, this.#name, limit, this.#statement);
  }

  /** Gives it up. One that is closed already is no error. */
  close(): Operation<void> {
    return new ClosePortal(this.#text, this.#name);
  }
}

/** Collects the rows of one batch. */
class Batch<T> {
  rows: Array<Record<string, unknown>> = [];
  isLast = true;

  take(operation: Operation<unknown>, statement: Statement | null, bytes: Buffer, at: number): void {
    if (statement === null || operation.failure !== null) return;
    try {
      this.rows.push(statement.readRow(bytes, at));
    } catch (error) {
      operation.failure = valueError(error);
    }
  }

  result(): RowBatch<T> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller says what his rows are
    return { rows: this.rows as T[], isLast: this.isLast };
  }
}

interface PortalStatement {
  readonly text: string;
  readonly args: ReadonlyArray<unknown>;
  readonly held: Statement | null;
}

class OpenPortal<T> extends StatementOperation<RowBatch<T>> {
  readonly #portal: string;
  readonly #limit: number;
  readonly #onStatement: (statement: Statement) => void;
  #batch = new Batch<T>();

  constructor(
    portal: string,
    limit: number,
    { text, args, held }: PortalStatement,
    onStatement: (statement: Statement) => void,
  ) {
    super(text, args, held);
    this.#portal = portal;
    this.#limit = limit;
    this.#onStatement = onStatement;
  }

  protected override execute(wire: Wire, statement: Statement): void {
    const encoded = statement.encode(this.args);
    this.#onStatement(statement);
    this.isSynced = true;
    wire.write(writer.bind(this.#portal, statement.name, encoded).execute(this.#portal, this.#limit).sync().take());
  }

  protected override forget(): void {
    this.#batch = new Batch<T>();
  }

  override handleRow(bytes: Buffer, at: number): void {
    this.#batch.take(this, this.statement, bytes, at);
  }

  override handlePortalSuspended(): void {
    this.#batch.isLast = false;
  }

  override result(): RowBatch<T> {
    return this.#batch.result();
  }
}

class FetchPortal<T> extends Operation<RowBatch<T>> {
  readonly #portal: string;
  readonly #limit: number;
  readonly #statement: Statement | null;
  readonly #batch = new Batch<T>();

  constructor(text: string, portal: string, limit: number, statement: Statement | null) {
    super(text);
    this.#portal = portal;
    this.#limit = limit;
    this.#statement = statement;
  }

  protected override send(wire: Wire): void {
    wire.write(writer.execute(this.#portal, this.#limit).sync().take());
  }

  override handleRow(bytes: Buffer, at: number): void {
    this.#batch.take(this, this.#statement, bytes, at);
  }

  override handlePortalSuspended(): void {
    this.#batch.isLast = false;
  }

  override result(): RowBatch<T> {
    return this.#batch.result();
  }
}

class ClosePortal extends Operation<void> {
  readonly #portal: string;

  constructor(text: string, portal: string) {
    super(text);
    this.#portal = portal;
  }

  protected override send(wire: Wire): void {
    wire.write(writer.closePortal(this.#portal).sync().take());
  }

  override result(): void {}
}
