// What a link sends, and who reads the rows that come back. Where the statement timeout of the server has to change, that goes
// in front, in the same write; its answer is for nobody.

import type { Socket } from "node:net";

import type { ConnectSettled } from "./connect-options.ts";
import type { PgClient } from "./driver.ts";
import type { TransactionState } from "./link.ts";
import { writer } from "./message-writer.ts";
import type { Operation } from "./operation.ts";
import { remainingMs, ServerTimeout, Unheard } from "./server-timeout.ts";
import type { Wire } from "./wire.ts";

export class LinkOutput {
  readonly #client: PgClient;
  readonly #socket: Socket;
  readonly #timeout: ServerTimeout;
  // What is sent in front of what comes next.
  #goesFirst: Buffer | null = null;
  #operation: Operation<unknown> | null = null;

  constructor(client: PgClient, socket: Socket, { pgBouncer, startup }: ConnectSettled) {
    this.#client = client;
    this.#socket = socket;
    this.#timeout = new ServerTimeout(pgBouncer || startup["statement_timeout"] !== undefined);
  }

  /** Lets an operation send what comes first. Throws what it throws; nothing was sent then. */
  start(operation: Operation<unknown>, wire: Wire, transaction: TransactionState): void {
    const command = this.#timeout.commandFor(remainingMs(), transaction);
    this.#timeout.runs(operation.text, operation.args);
    this.#operation = operation;
    this.#takeRows(command === null ? operation : null);
    if (command === null) return operation.start(wire);
    this.#goesFirst = writer.query(command).take();
    try {
      operation.start(wire);
    } finally {
      if (this.#goesFirst !== null) this.#timeout.forget();
      this.#goesFirst = null;
    }
  }

  /** False if the bytes wait in this process. */
  write(bytes: Uint8Array): boolean {
    const first = this.#goesFirst;
    if (first === null) return this.#socket.write(bytes);
    this.#goesFirst = null;
    this.#client.query(new Unheard(() => this.#takeRows(this.#operation)));
    return this.#socket.write(Buffer.concat([first, bytes]));
  }

  /** The operation has come to its end. */
  end(): void {
    this.#operation = null;
    this.#takeRows(null);
  }

  /** A command has changed the session. */
  sessionChanged(tag: string, text: string): void {
    this.#timeout.changed(tag, text);
  }

  /** A transaction was rolled back, or some of it. */
  rolledBack(): void {
    this.#timeout.rolledBack();
  }

  #takeRows(operation: Operation<unknown> | null): void {
    const { splitter } = this.#client.connection;
    if (splitter !== null) splitter.target = operation;
  }
}
