// One physical connection: runs one operation at a time, and knows in what state the server is.
//
//   idle ──run──▶ busy ──ReadyForQuery──▶ idle
//    │             └─────cancelled──▶ busy, until interruption.ts is done ──▶ idle
//    └──────────────┴──error, destroy, close──▶ broken                          (final)
//
// pg reads and parses; what is sent is written by the operations themselves.

import type { Socket } from "node:net";

import { enterCheckpoint } from "meanwhile/lowlevel";

import type { ConnectSettled } from "./connect-options.ts";
import { isServerError } from "./dial-failure.ts";
import type { PgClient } from "./driver.ts";
import type { PostgresError } from "./errors.ts";
import { sayGoodbye } from "./goodbye.ts";
import { Interruption } from "./interruption.ts";
import { closedLink, linkIsBusy, lostLink } from "./link-errors.ts";
import { type LinkNotice, type LinkNotification, listenTo, tell } from "./link-events.ts";
import { LinkOutput } from "./link-output.ts";
import type { LinkParts } from "./link-parts.ts";
import { LinkWait } from "./link-wait.ts";
import type { Operation } from "./operation.ts";
import { SchemaWatch } from "./schema-changes.ts";
import { RESET_SQL } from "./session-state.ts";
import { StatementCache } from "./statement-cache.ts";
import { TransactionCount } from "./transaction-count.ts";
import type { Wire } from "./wire.ts";

/** Whether the server is in a transaction; `failed` is one that can only be rolled back. */
export type TransactionState = "none" | "active" | "failed";

const STATES: Readonly<Record<string, TransactionState>> = { I: "none", T: "active", E: "failed" };

export class Link implements Wire {
  readonly settled: ConnectSettled;
  /** The settings the server reports, like `server_version`. */
  readonly parameters: Map<string, string>;
  readonly statements: StatementCache;
  /** Which transaction it is in, by how many were before. */
  readonly transactions: TransactionCount = new TransactionCount();
  /** When it was made, by `performance.now()`. */
  readonly openedAt: number = performance.now();
  /** How many operations it has run. */
  queries = 0;
  /** Told of every message of NOTIFY. It runs outside of any scope. */
  onNotification: ((notification: LinkNotification) => void) | null = null;
  /** Told of warnings and the like of the server. */
  onNotice: ((notice: LinkNotice) => void) | null = null;
  /** Told of what becomes of LISTEN: that of the transaction is undone, the transaction has ended, the server listens to nothing. */
  onListenChange: ((what: "undone" | "ended" | "nothing") => void) | null = null;
  /** Told, once, if the connection ends while nothing runs on it. */
  onLost: ((error: PostgresError) => void) | null = null;
  #state: "idle" | "busy" | "broken" = "idle";
  // Invariant: not null exactly while busy.
  #operation: Operation<unknown> | null = null;
  #interruption: Interruption | null = null;
  // Why it is broken; makes the error for whoever wants to use it.
  #makeError: (operation: Operation<unknown> | null) => PostgresError = closedLink;
  #isKeptAlive = false;
  // Whether a user has prepared something by a statement: the pool does not know its name.
  #hasPrepared = false;
  readonly #schema: SchemaWatch;
  readonly #output: LinkOutput;
  readonly #wait = new LinkWait();
  readonly #parts: LinkParts;
  readonly #client: PgClient;
  readonly #socket: Socket;
  readonly #abort = (): "wait" => this.#interrupt();
  readonly #onReady = (): void => this.ready();

  /** For `openLink`. */
  constructor(parts: LinkParts) {
    const { client, socket, settled, parameters } = parts;
    this.#parts = parts;
    this.#client = client;
    this.#socket = socket;
    this.settled = settled;
    this.parameters = parameters;
    this.statements = new StatementCache(settled.statementCacheSize, !settled.pgBouncer);
    this.#schema = new SchemaWatch(this.statements);
    this.#output = new LinkOutput(client, socket, settled);
    listenTo(client, socket, {
      lost: (error) => this.#lost(error),
      drained: () => this.#operation?.handleDrain(),
      searchPathChanged: () => this.#schema.changed("SET", "search_path"),
      operation: () => this.#operation,
      notification: (notification) => tell(this.onNotification, notification),
      notice: (notice) => tell(this.onNotice, notice),
    });
    socket.unref();
  }

  /** The number of the process that serves it. */
  get pid(): number {
    return this.#client.processID ?? 0;
  }

  get status(): "idle" | "busy" | "broken" {
    return this.#state;
  }

  /** As of the last ReadyForQuery. */
  get transaction(): TransactionState {
    return STATES[this.#client.getTransactionStatus() ?? "I"] ?? "none";
  }

  get isInterrupted(): boolean {
    return this.#interruption !== null;
  }

  /** What undoes whatever a user may have changed of the session. */
  get resetText(): string {
    return this.#hasPrepared ? `${RESET_SQL}; deallocate all` : RESET_SQL;
  }

  /** What runs; null if nothing does. */
  get running(): string | null {
    return this.#operation?.text ?? null;
  }

  /**
   * Runs an operation and waits for its result.
   *
   * Cancellation: loses the result, and whether it was done. The server is asked to end the statement, and the link can be
   * used again, or is broken, when the caller gets its error; that takes `cancelTimeoutMs` at most.
   *
   * @throws {@link SqlError} `MW_ERR_PG_SQL` if the server refuses it
   * @throws {@link ConnectionLostError} `MW_ERR_PG_CONNECTION_LOST`
   * @throws {@link PostgresError} `MW_ERR_PG_BUSY` if something runs already
   */
  run<R>(operation: Operation<R>): Promise<R> {
    try {
      const turn = enterCheckpoint();
      return turn === null ? this.runAtOnce(operation) : turn.then(() => this.runAtOnce(operation));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * As `run`, for one who has just passed a checkpoint: when it returns the operation has begun, or was refused.
   *
   * Cancellation: as that of {@link Link.run}.
   */
  runAtOnce<R>(operation: Operation<R>): Promise<R> {
    try {
      this.begin(operation);
      return this.#wait.result(operation, this.#abort);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Begins an operation whose user waits with {@link Link.event} for what it gives bit by bit.
   *
   * @throws {@link PostgresError} `MW_ERR_PG_BUSY`
   */
  begin(operation: Operation<unknown>): void {
    const running = this.#operation;
    if (running !== null) throw linkIsBusy(operation, running);
    if (this.#state !== "idle") throw this.#makeError(operation);
    // Before anything is sent: what makes the arguments may want to run something here, and is refused.
    this.#state = "busy";
    this.#operation = operation;
    this.#wait.begin();
    try {
      this.#output.start(operation, this, this.transaction);
    } catch (error) {
      if (this.#operation === operation) this.#becomeIdle(operation);
      throw error;
    }
    // It may have ended the connection instead.
    if (this.#operation !== operation) throw this.#makeError(operation);
    this.queries += 1;
    if (!this.#isKeptAlive) this.#socket.ref();
    this.#client.query(operation);
  }

  /**
   * Waits until something has happened to the operation that was begun: its `notify`, or its end.
   *
   * Cancellation: as that of {@link Link.run}.
   */
  async event(operation: Operation<unknown>): Promise<void> {
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    if (this.#operation === operation) return await this.#wait.event(operation, this.#abort);
    if (!operation.isOver) throw this.#makeError(operation);
  }

  /**
   * Ends the operation that was begun, if it still runs. Done when the link is idle again, or broken. Never throws.
   *
   * Cancellation: safe. It is not interrupted, and takes `cancelTimeoutMs` at most.
   */
  async stop(operation: Operation<unknown>): Promise<void> {
    if (this.#operation !== operation) return;
    this.#interrupt();
    while (this.#operation === operation) await this.#wait.event(operation);
  }

  /** Lets the process live as long as this connection, also while nothing runs on it: for one that listens. */
  keepAlive(isKeptAlive: boolean): void {
    this.#isKeptAlive = isKeptAlive;
    if (isKeptAlive || this.#state === "busy") this.#socket.ref();
    else this.#socket.unref();
  }

  /** Ends the connection at once. Whoever waits gets an error; nobody else is told. */
  destroy(): void {
    this.onLost = null;
    this.#break(closedLink);
  }

  /**
   * Ends the connection: says goodbye if nothing runs, and waits until it is closed. Never throws.
   *
   * Cancellation: safe. It is not interrupted, and takes a second at most.
   */
  async close(): Promise<void> {
    if (this.#state !== "idle") return this.destroy();
    this.#state = "broken";
    await sayGoodbye(this.#client, this.#socket);
  }

  write(bytes: Uint8Array): boolean {
    return this.#output.write(bytes);
  }

  sessionChanged(tag: string, text: string): void {
    if (tag === "PREPARE") this.#hasPrepared = true;
    if (tag === "RESET" && text.startsWith(RESET_SQL)) this.#schema.reset();
    if (tag.endsWith(" ALL")) {
      this.statements.clear();
      this.#hasPrepared = false;
    }
    this.#output.sessionChanged(tag, text);
    if (tag === "UNLISTEN" || tag === "DISCARD ALL") tell(this.onListenChange, "nothing");
  }

  schemaChanged(tag: string, text: string): void {
    this.#schema.changed(tag, text);
  }

  transactionEnded(tag: string, text: string): void {
    const { ended } = this.transactions;
    this.transactions.told(tag, text);
    const isWhole = this.transactions.ended !== ended;
    if (isWhole) this.#schema.settle();
    else this.#schema.rolledBack();
    if (tag === "ROLLBACK") {
      this.#output.rolledBack();
      tell(this.onListenChange, "undone");
    }
    if (isWhole) tell(this.onListenChange, "ended");
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  notify(): void {
    if (this.#interruption === null) this.#wait.notify();
  }

  ready(): void {
    const operation = this.#operation;
    if (operation === null) return;
    if (this.#interruption !== null) return this.#interruption.ready();
    if (operation.failure !== null && operation.mayRetry(this.transaction !== "none")) {
      operation.start(this);
      return this.#client.query(operation);
    }
    this.#becomeIdle(operation);
    this.#wait.end(operation);
  }

  refused(error: Error): void {
    const operation = this.#operation;
    if (operation === null) return;
    if (!isServerError(error)) return this.#lost(error);
    operation.refuse(error);
    // pg tells an operation that has failed nothing more.
    this.#client.connection.once("readyForQuery", this.#onReady);
  }

  #becomeIdle(operation: Operation<unknown>): void {
    operation.isOver = true;
    if (this.#schema.isPending && this.transaction === "none") this.#schema.settle();
    this.#output.end();
    this.#operation = null;
    this.#state = "idle";
    if (!this.#isKeptAlive) this.#socket.unref();
  }

  /** Called in the stack of whoever cancels, and again for each scope further out. */
  #interrupt(): "wait" {
    if (this.#interruption !== null || this.#operation === null) return "wait";
    const { inContext, server, settled } = this.#parts;
    const key = { processId: this.pid, secret: this.#client.secretKey ?? 0 };
    const plan = { server, key, settings: settled, timeoutMs: settled.cancelTimeoutMs };
    this.#interruption = inContext(() => new Interruption(plan, (isWhole) => this.#interrupted(isWhole)));
    this.#operation.interrupt();
    return "wait";
  }

  #interrupted(isWhole: boolean): void {
    const operation = this.#operation;
    if (!isWhole || operation === null) return this.#break(closedLink);
    this.#interruption = null;
    this.#becomeIdle(operation);
    this.#wait.endInterrupted();
  }

  #lost(cause: Error | null): void {
    this.#break((operation) => lostLink(operation, cause));
  }

  #break(makeError: (operation: Operation<unknown> | null) => PostgresError): void {
    if (this.#state === "broken") return;
    const operation = this.#operation;
    const interruption = this.#interruption;
    this.#state = "broken";
    this.#makeError = makeError;
    this.#operation = null;
    this.#interruption = null;
    interruption?.stop();
    this.#socket.destroy();
    if (operation === null) return tell(this.onLost, makeError(null));
    if (interruption === null) this.#wait.fail(() => makeError(operation));
    else this.#wait.endInterrupted();
  }
}
