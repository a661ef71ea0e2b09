// A block of statements that is done as a whole or not at all.
//
//   begin ──▶ body ──returns──▶ commit        in a transaction: savepoint ──▶ body ──▶ release
//              └──throws, is cancelled──▶ rollback                            └──▶ rollback to, release
//
// The begin goes with the first statement of the body, which saves a round trip; without a statement nothing is sent.

import { enterCheckpoint, throwIfCancelled } from "meanwhile/lowlevel";

import { badArgument, checks } from "./checks.ts";
import { ConnectionLostError, PostgresError } from "./errors.ts";
import { insist } from "./insist.ts";
import { checkNames, type OptionNames } from "./option-names.ts";
import type { Session } from "./session.ts";

/** How a transaction is to be. Not for one inside another. */
export interface TransactionOptions {
  /** What it sees of others. Default: that of the server, usually `"read committed"`. */
  readonly isolation?: "read uncommitted" | "read committed" | "repeatable read" | "serializable" | undefined;
  /** Whether it refuses to change anything. Default: `false`. */
  readonly readonly?: boolean | undefined;
  /** With `serializable` and `readonly`: whether it waits until it cannot fail for others. Default: `false`. */
  readonly deferrable?: boolean | undefined;
}

const NAMES: OptionNames<TransactionOptions> = { isolation: true, readonly: true, deferrable: true };
const LEVELS = ["read uncommitted", "read committed", "repeatable read", "serializable"];
/** How long a commit or a rollback goes on when its caller is cancelled. */
const GRACE_MS = 5_000;

/** Runs `body` in a transaction of the session. */
export async function inTransaction<T>(
  session: Session,
  options: TransactionOptions,
  body: () => T,
): Promise<Awaited<T>> {
  const text = beginText(options);
  session.touch(text);
  const isNested = session.isInTransaction;
  if (isNested && text !== BEGIN) {
    throw badArgument("options", options, "none: it is inside another transaction, and has the options of that one");
  }
  const level = session.level + 1;
  const name = `mw_${level}`;
  await begin(session, isNested ? `savepoint ${name}` : text, isNested ? undo(name) : ROLLBACK);
  session.level = level;
  const { transactions } = session.link;
  const endedBefore = transactions.ended;
  try {
    const value = await body();
    checkEnd(session, level, endedBefore);
    throwIfCancelled();
    await commit(session, isNested ? `release savepoint ${name}` : "commit");
    return value;
  } catch (error) {
    // Where another one has taken the place of that which had the savepoint, the outermost rolls that back.
    if (!isNested || transactions.ended === endedBefore) await rollBack(session, isNested ? undo(name) : ROLLBACK);
    throw error;
  } finally {
    session.level = level - 1;
  }
}

const BEGIN = "begin";
const ROLLBACK = "rollback";

function undo(savepoint: string): string {
  return `rollback to savepoint ${savepoint}; release savepoint ${savepoint}`;
}

function beginText({ isolation, readonly, deferrable }: TransactionOptions): string {
  checks.word("isolation", isolation, LEVELS);
  checks.flag("readonly", readonly);
  checks.flag("deferrable", deferrable);
  const level = isolation === undefined ? "" : ` isolation level ${isolation}`;
  const access = readonly === true ? " read only" : " read write";
  return `${BEGIN}${level}${readonly === undefined ? "" : access}${deferrable === true ? " deferrable" : ""}`;
}

/** The options, of the two ways to call it. */
export function optionsOf(first: unknown): TransactionOptions {
  if (typeof first === "function") return {};
  checkNames("options", first, NAMES);
  return first;
}

/** The body, of the two ways to call it. */
export function bodyOf<B extends (...args: never[]) => unknown>(first: unknown, second: B | undefined): B {
  const body = typeof first === "function" ? first : second;
  if (typeof body !== "function") throw badArgument("body", body, "a function that runs the statements");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as its type says
  return body as B;
}

/** One that was cancelled may have begun all the same. */
async function begin(session: Session, text: string, inverse: string): Promise<void> {
  if (session.link.status === "idle" && inverse === ROLLBACK) {
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    session.touch(text);
    return session.opens(text);
  }
  const before = session.link.transaction;
  try {
    await session.command(text);
  } catch (error) {
    if (before === "none" && session.link.transaction !== "none") await rollBack(session, inverse);
    throw error;
  }
}

/** What would make the server roll back where the caller believes in a commit. */
function checkEnd(
  { link, isOver, isInTransaction, level: present }: Session,
  level: number,
  endedBefore: number,
): void {
  const cannot = "Cannot commit the transaction: ";
  // The commit says so, or there is nothing to commit.
  if (isOver || link.status === "broken") return;
  if (present !== level) {
    const what =
      "one that was begun inside it has not ended; await it, and run those that are not nested one after another";
    throw new PostgresError("MW_ERR_PG_TRANSACTION", cannot + what);
  }
  if (!isInTransaction) {
    const what = "a statement in it has ended it; leave commit and rollback to transaction()";
    throw new PostgresError("MW_ERR_PG_TRANSACTION", cannot + what);
  }
  if (link.transactions.ended !== endedBefore) {
    const what =
      "a statement in it has ended it and another one has begun, so what came before is done already; leave commit and rollback to transaction()";
    throw new PostgresError("MW_ERR_PG_TRANSACTION", cannot + what);
  }
  if (link.transaction === "failed") {
    const what =
      "a statement in it has failed or was cancelled and the error was caught, so the server only rolls back; let it through, or put what may fail into a transaction inside this one";
    throw new PostgresError("MW_ERR_PG_TRANSACTION", cannot + what);
  }
}

async function commit(session: Session, text: string): Promise<void> {
  if (session.opensNothing()) return;
  const ending = await insist(GRACE_MS, () => session.command(text));
  if (ending.isDone) return;
  session.abandon();
  throw new ConnectionLostError(
    "commit the transaction",
    `the server has not answered in ${GRACE_MS} ms after the task was cancelled; whether it is committed is not known`,
    { statement: text },
  );
}

/**
 * Never throws: whatever has led here is the error. A connection that cannot roll back is ended, which does it as well. One that
 * the body has given back or closed is rolled back by that, and may be another one's already.
 */
async function rollBack(session: Session, text: string): Promise<void> {
  const { link } = session;
  session.opensNothing();
  if (session.isOver || link.status === "broken" || !session.isInTransaction) return;
  try {
    // What the body has left running must end first: it may be what begins the transaction.
    await session.untilIdle();
    session.opensNothing();
    if (!session.isInTransaction) return;
    const ending = await insist(GRACE_MS, () => session.command(text));
    if (!ending.isDone) session.abandon();
  } catch {
    session.abandon();
  }
}

const RETRYABLE = new Set(["40001", "40P01"]);

/**
 * Whether an error says that a transaction met another one, and may succeed when it is run again: for `when` of `retry`.
 *
 * @see {@link https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html}
 *
 * @example
 * ```ts
 * import { createPool, isSerializationFailure } from "@meanwhile/postgres";
 * import { retry } from "meanwhile";
 *
 * await using pool = createPool();
 * await pool.execute("create table account (id int, balance int)");
 * await pool.execute("insert into account values (1, 100)");
 * const withdraw = () =>
 *   pool.transaction({ isolation: "serializable" }, async (connection) => {
 *     await connection.execute("update account set balance = balance - $1 where id = $2", 30, 1);
 *   });
 * await retry(withdraw, { attempts: 5, when: isSerializationFailure });
 * console.log(await pool.fetchValue("select balance from account")); //> 70
 * ```
 */
export function isSerializationFailure(error: unknown): boolean {
  return error instanceof PostgresError && "sqlstate" in error && RETRYABLE.has(String(error.sqlstate));
}
