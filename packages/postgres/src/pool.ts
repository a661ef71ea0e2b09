// The pool: what a program keeps for as long as it talks to a server.

import { gather, shield } from "meanwhile";
import { currentScopeNode, enterCheckpoint } from "meanwhile/lowlevel";

import { badArgument, checks } from "./checks.ts";
import type { CommandResult } from "./command-tag.ts";
import type { Connection } from "./connection.ts";
import type { CopyTarget, CopyToTarget } from "./copy-target.ts";
import type { CopySource } from "./copy.ts";
import { callHook, setUp } from "./hooks.ts";
import { reportLeak } from "./leaks.ts";
import { LinkMaker } from "./link-maker.ts";
import { ListenHub } from "./listen-hub.ts";
import { checkChannel, Listener, type ListenOptions } from "./listener.ts";
import { type Member, type Place, placeOfCall } from "./member.ts";
import { Members } from "./members.ts";
import type { Operation } from "./operation.ts";
import { checkNames, type OptionNames } from "./option-names.ts";
import { poolClosed } from "./pool-errors.ts";
import { type PoolOptions, type PoolSettled, settlePool } from "./pool-options.ts";
import { PooledConnection } from "./pooled-connection.ts";
import type { Queryable, Row } from "./queryable.ts";
import { makeReady } from "./reset.ts";
import { ServerSource } from "./server-source.ts";
import { changesSession } from "./session-state.ts";
import { rowsIn } from "./session.ts";
import type { SqlInput } from "./sql.ts";
import { executeManyOf, executeOf, firstRowOf, rowsOf, valueOf } from "./statements.ts";
import type { PoolStatistics } from "./statistics.ts";
import { Trace } from "./trace.ts";
import { bodyOf, optionsOf, type TransactionOptions } from "./transaction.ts";

/** Options of `pool.acquire`. */
export interface AcquireOptions {
  /** How long to wait for a connection, in milliseconds. Default: `acquireTimeoutMs` of the pool. */
  readonly timeoutMs?: number | undefined;
}

/** Options of `pool.close`. */
export interface CloseOptions {
  /** How long to wait for those who hold connections, in milliseconds. Default: 10 000. */
  readonly timeoutMs?: number | undefined;
}

const NO_OPTIONS: AcquireOptions & CloseOptions = {};
const NAMES: OptionNames<AcquireOptions & CloseOptions> = { timeoutMs: true };
/** How long the connections that are ended may take to be closed. */
const END_MS = 2_000;
const { performance } = globalThis;

/**
 * Connections to one server, opened when they are needed, kept, and lent in the order they were asked for. Made by
 * {@link createPool}.
 *
 * A cancellation cannot break it: whatever a task does when it is cancelled, its connection comes back whole, or another one
 * takes its place. `fetch` and the like take a connection for one statement.
 *
 * @see {@link https://magicstack.github.io/asyncpg/current/api/index.html#connection-pools}
 *
 * @example
 * ```ts
 * import { createPool } from "@meanwhile/postgres";
 * import { moveOnAfter } from "meanwhile";
 *
 * await using pool = createPool({ maxSize: 1 });
 * await moveOnAfter(50, () => pool.fetch("select pg_sleep(20)")); // ended on the server, too
 * console.log(await pool.fetchValue("select 6 * 7")); //> 42
 * ```
 */
export class Pool implements Queryable, AsyncDisposable {
  readonly #settled: PoolSettled;
  readonly #source: ServerSource;
  readonly #trace: Trace;
  readonly #members: Members;
  readonly #hub: ListenHub;
  readonly #maker: LinkMaker;
  readonly #isBouncer: boolean;

  /** @internal */
  constructor(options: PoolOptions) {
    this.#settled = settlePool(options);
    this.#source = new ServerSource(options);
    this.#trace = new Trace(options.trace);
    this.#isBouncer = options.pgBouncer === true;
    const [settled, trace] = [this.#settled, this.#trace];
    const maker = new LinkMaker(this.#source, trace, settled.init);
    this.#maker = maker;
    this.#members = new Members({
      settled,
      trace,
      open: () => maker.open(),
      reset: (member) => makeReady(member, settled, trace, (hook) => maker.call(hook, member.link)),
    });
    this.#hub = new ListenHub(() => maker.openBare(), trace);
  }

  /**
   * All rows of a statement.
   *
   * Cancellation: loses the rows. The server is asked to end the statement.
   *
   * @param args - for `$1`, `$2`, … of a text; none for an {@link Sql}, which has its own
   * @throws {@link SqlError} `MW_ERR_PG_SQL` if the server refuses it
   * @throws {@link PoolTimeoutError} `MW_ERR_PG_POOL_TIMEOUT` if no connection came free in time
   * @throws {@link ConnectError} if there is no connection, and none can be made
   * @throws {@link ConnectionLostError} `MW_ERR_PG_CONNECTION_LOST`
   * @throws {@link PostgresError} `MW_ERR_PG_ARGUMENT_COUNT`, `MW_ERR_PG_ARGUMENT_TYPE` for arguments that do not fit,
   * `MW_ERR_PG_CLOSED` if the pool is closed
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the call
   */
  fetch<T = Row>(statement: SqlInput, ...args: readonly unknown[]): Promise<T[]> {
    return this.#run<T[]>(rowsOf, statement, args);
  }

  /**
   * The first row; undefined if there is none. Only one is asked for: what the statement would do for further rows is not
   * done, and what would be wrong with them is not seen.
   *
   * Cancellation: loses the row. As in `fetch`.
   */
  fetchRow<T = Row>(statement: SqlInput, ...args: readonly unknown[]): Promise<T | undefined> {
    return this.#run<T | undefined>(firstRowOf, statement, args);
  }

  /**
   * The first column of the first row; undefined if there is no row.
   *
   * Cancellation: loses the value. As in `fetch`.
   */
  fetchValue<T = unknown>(statement: SqlInput, ...args: readonly unknown[]): Promise<T | undefined> {
    return this.#run<T | undefined>(valueOf, statement, args);
  }

  /**
   * Runs a statement whose rows are of no interest. A text without arguments may be several statements, done all or none.
   *
   * Cancellation: loses the result. As in `fetch`; a statement that changes rows may have done so.
   */
  execute(statement: SqlInput, ...args: readonly unknown[]): Promise<CommandResult> {
    return this.#run<CommandResult>(executeOf, statement, args);
  }

  /**
   * Runs a statement once for each list of arguments, in few round trips, all or none of them. Returns how often
   * that was.
   *
   * Cancellation: loses the result: none of them was done, or, if the server was faster, all.
   *
   * @throws {@link SqlError} with the `index` of the list that failed
   */
  executeMany(statement: string, argLists: Iterable<readonly unknown[]>): Promise<number> {
    return this.#run<number, Iterable<readonly unknown[]>, string>(executeManyOf, statement, argLists);
  }

  /**
   * Takes a connection. It has to be given back: by `await using`, or `connection.release()`.
   *
   * Cancellation: safe. A caller that is cancelled while waiting loses its place and holds none; a connection that is being
   * opened for it goes to the next one.
   *
   * @throws {@link PoolTimeoutError} `MW_ERR_PG_POOL_TIMEOUT` if none came free in time; it names those who hold them
   * @throws {@link ConnectError} if there is none, and none can be made
   * @throws {@link PostgresError} `MW_ERR_PG_CLOSED` if the pool is closed
   */
  async acquire(options: AcquireOptions = NO_OPTIONS): Promise<PooledConnection> {
    const place = placeOfCall();
    if (options !== NO_OPTIONS) checkNames("options", options, NAMES);
    if (options !== NO_OPTIONS || this.#settled.setup !== null || this.#trace.isOn)
      return this.#acquireAt(place, options);
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    const members = this.#members;
    const member = members.tryTake(place) ?? (await members.take(place, this.#settled.acquireTimeoutMs));
    return new PooledConnection(member, members, this.#trace);
  }

  /**
   * Runs `body` with a connection, which is given back when it ends.
   *
   * Cancellation: reaches the body.
   */
  async with<T>(body: (connection: Connection) => T | PromiseLike<T>): Promise<T> {
    const place = placeOfCall();
    const called = bodyOf(undefined, body);
    await using connection = await this.#acquireAt(place, NO_OPTIONS);
    return await called(connection);
  }

  /**
   * Runs `body` in a transaction on a connection of its own: committed when it returns, rolled back when it throws or is
   * cancelled. What `body` runs goes through the connection it gets.
   *
   * Cancellation: reaches the body, and rolls back. As in `connection.transaction`.
   */
  transaction<T>(body: (connection: Connection) => T | PromiseLike<T>): Promise<T>;
  /**
   * With an isolation level, or read only.
   *
   * Cancellation: reaches the body. As above.
   */
  transaction<T>(options: TransactionOptions, body: (connection: Connection) => T | PromiseLike<T>): Promise<T>;
  async transaction<T>(
    first: TransactionOptions | ((connection: Connection) => T | PromiseLike<T>),
    second?: (connection: Connection) => T | PromiseLike<T>,
  ): Promise<T> {
    const body = bodyOf(first, second);
    const options = optionsOf(first);
    const place = placeOfCall();
    await using connection = await this.#acquireAt(place, NO_OPTIONS);
    return await connection.transaction(options, body);
  }

  /**
   * The rows of a statement bit by bit, in a transaction on a connection of its own, which is held until the loop ends.
   *
   * Cancellation: loses the rest. The connection is given back.
   */
  cursor<T = Row>(statement: SqlInput, ...args: readonly unknown[]): AsyncGenerator<T, undefined, undefined> {
    return this.#cursorAt<T>(placeOfCall(), statement, args);
  }

  async *#cursorAt<T>(
    place: Place,
    statement: SqlInput,
    args: readonly unknown[],
  ): AsyncGenerator<T, undefined, undefined> {
    await using connection = await this.#acquireAt(place, NO_OPTIONS);
    await connection.execute("begin");
    for await (const row of connection.cursor<T>(statement, ...args)) yield row;
    await connection.execute("commit");
    return undefined;
  }

  /**
   * Copies rows, or a text in a format of COPY, into a table. As `connection.copyFrom`.
   *
   * Cancellation: loses the count: nothing was copied, or, if the server was faster, all. The source was closed.
   */
  async copyFrom(target: CopyTarget, source: CopySource): Promise<number> {
    const place = placeOfCall();
    await using connection = await this.#acquireAt(place, NO_OPTIONS);
    return await connection.copyFrom(target, source);
  }

  /**
   * Copies a table, or the result of a query, out. As `connection.copyTo`, on a connection that is held until the loop ends.
   *
   * Cancellation: loses the rest. The server is asked to end the statement.
   */
  copyTo(target: CopyToTarget): AsyncGenerator<Uint8Array, undefined, undefined> {
    return this.#copyToAt(placeOfCall(), target);
  }

  async *#copyToAt(place: Place, target: CopyToTarget): AsyncGenerator<Uint8Array, undefined, undefined> {
    await using connection = await this.#acquireAt(place, NO_OPTIONS);
    yield* connection.copyTo(target);
    return undefined;
  }

  /**
   * The notifications of one or more channels. All listeners of the pool share one connection, beside its `maxSize`. If
   * that is lost, another one is opened, as often as it takes, and the event `reconnected` tells that some may have been
   * missed.
   *
   * @throws {@link PostgresError} `MW_ERR_PG_INVALID_ARGUMENT` through a PgBouncer, which gives each statement another
   * connection
   * @see {@link https://www.postgresql.org/docs/current/sql-listen.html}
   *
   * @example
   * ```ts
   * import { createPool } from "@meanwhile/postgres";
   *
   * await using pool = createPool();
   * await using jobs = pool.listen("jobs");
   * await jobs.ready();
   * await pool.notify("jobs", "42");
   * for await (const event of jobs) {
   *   if (event.kind === "notification") console.log(event.payload); //> 42
   *   break;
   * }
   * ```
   */
  listen(channels: string | readonly string[], options: ListenOptions = {}): Listener {
    if (this.#isBouncer)
      throw badArgument("pgBouncer", true, "a DSN that leads to the server itself to a pool that listens");
    return new Listener(channels, options, this.#hub);
  }

  /**
   * Notifies those who listen to a channel.
   *
   * Cancellation: loses whether it was sent. As in `fetch`.
   *
   * @param payload - at most 8 000 bytes, as the server has it. Default: `""`
   */
  async notify(channel: string, payload = ""): Promise<void> {
    checkChannel(channel);
    await this.execute("select pg_notify($1, $2)", channel, payload);
  }

  /**
   * Opens as many connections as `minSize` says, at least one: to know early whether the server can be reached.
   *
   * Cancellation: safe. Connections that are open stay, and those that are being opened are opened.
   *
   * @throws {@link ConnectError} if one cannot be made
   * @throws {@link PostgresError} `MW_ERR_PG_CLOSED` if the pool is closed
   */
  async ready(): Promise<void> {
    if (this.#members.isClosed) throw poolClosed();
    await gather(this.#members.growing(Math.max(1, this.#settled.minSize)));
  }

  /** Lets no connection there is now be used again: each is closed when nobody holds it. */
  expireConnections(): void {
    this.#members.expire();
  }

  /** A snapshot of the connections, and of who holds them. */
  statistics(): PoolStatistics {
    return this.#members.statistics(this.#hub.size);
  }

  /**
   * Closes the pool. Who waits for a connection gets `MW_ERR_PG_CLOSED`; who holds one may finish, for `timeoutMs`; then it
   * is ended. Loops over notifications end. Closing it again does nothing more. A task that closes it while it holds all
   * connections itself is not waited for. Outside of `run` there is no task to tell it by: give them back first.
   *
   * Cancellation: safe. Nobody is waited for any more: what is held is ended.
   */
  async close(options: CloseOptions = NO_OPTIONS): Promise<void> {
    checkNames("options", options, NAMES);
    const { timeoutMs = 10_000 } = options;
    checks.ms("timeoutMs", timeoutMs);
    this.#hub.close();
    this.#members.startClosing();
    try {
      const { task } = currentScopeNode();
      // Who closes it cannot give back what he holds himself.
      if (!this.#members.isHeldOnlyBy(task)) await this.#members.whenEmpty(timeoutMs);
    } finally {
      await this.terminate();
    }
  }

  /**
   * Ends every connection, whoever holds it. Who waits for an answer gets `MW_ERR_PG_CLOSED`.
   *
   * Cancellation: safe. It is held back, for a few seconds at most.
   */
  async terminate(): Promise<void> {
    this.#hub.close();
    this.#members.startClosing();
    for (const place of this.#members.placesOfBlocks()) reportLeak(place, "its pool was closed", this.#trace);
    this.#members.terminate();
    await shield(async () => {
      await this.#members.whenEmpty(END_MS);
      await this.#source.stop();
    });
  }

  /**
   * The same as `close()`.
   *
   * Cancellation: safe. As in `close`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One statement on a connection of its own. */
  // Nothing is made here but what the statement needs: bench/README.md, row `postgres`.
  async #run<R, A = readonly unknown[], S = SqlInput>(
    make: (statement: S, args: A) => Operation<R>,
    statement: S,
    args: A,
  ): Promise<R> {
    const operation = make(statement, args);
    const { text } = operation;
    const members = this.#members;
    const member = members.tryTake(text) ?? (await members.take(text, this.#settled.acquireTimeoutMs));
    try {
      const { setup } = this.#settled;
      if (setup !== null) await this.#setUp(() => this.#maker.call(setup, member.link));
      if (changesSession(text)) member.isTouched = true;
      const { link } = member;
      if (!this.#trace.isOn) return await link.run(operation);
      return await this.#trace.around(link.pid, text, () => link.run(operation), rowsIn);
    } finally {
      const resetting = members.giveBack(member);
      if (resetting !== undefined) await resetting;
    }
  }

  async #acquireAt(
    place: Place,
    { timeoutMs = this.#settled.acquireTimeoutMs }: AcquireOptions,
  ): Promise<PooledConnection> {
    if (timeoutMs !== this.#settled.acquireTimeoutMs) checks.ms("timeoutMs", timeoutMs);
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    const startedAt = this.#trace.isOn ? performance.now() : 0;
    const members = this.#members;
    const member = members.tryTake(place) ?? (await members.take(place, timeoutMs));
    if (this.#trace.isOn) this.#tellAcquired(member, startedAt);
    const connection = new PooledConnection(member, members, this.#trace);
    const { setup } = this.#settled;
    if (setup === null) return connection;
    try {
      await this.#setUp(() => callHook(setup, connection), timeoutMs);
      return connection;
    } catch (error) {
      await connection.release();
      throw error;
    }
  }

  #setUp(call: () => Promise<void>, timeoutMs: number = this.#settled.acquireTimeoutMs): Promise<void> {
    return setUp(timeoutMs, call, () => this.#members.holders());
  }

  #tellAcquired({ link }: Member, startedAt: number): void {
    this.#trace.tell({ kind: "acquired", serverPid: link.pid, waitedMs: performance.now() - startedAt });
  }
}
