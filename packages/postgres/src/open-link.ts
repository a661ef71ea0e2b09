// Makes a link: tries the servers in turn, with and without TLS where both will do, until one fits.

import { now } from "meanwhile";
import { captureContext, currentScopeNode, enterScope, giveWay } from "meanwhile/lowlevel";
import { suspend, type WaitTarget, wakeAt } from "meanwhile/lowlevel";

import type { ConnectSettled, ServerAddress, TargetSessionAttrs } from "./connect-options.ts";
import { connectError, DialFailure } from "./dial-failure.ts";
import type { Encryption } from "./dial.ts";
import { type DriverFactory, loadDriver } from "./driver.ts";
import { Link } from "./link.ts";
import { Login, type LoggedIn } from "./login.ts";
import { FetchValue, FetchRows } from "./query.ts";

// Sockets outlive the task that caused them: they must not keep its scope.
const inContext = captureContext();

/** What came of a try. */
interface Outcome {
  readonly failure: DialFailure | null;
  readonly made: LoggedIn | null;
}

/**
 * Makes a connection.
 *
 * Cancellation: safe. No socket is left.
 *
 * @throws {@link ConnectError} with the code of what was wrong with the last server that was tried, and all of it as its cause
 */
export async function openLink(settled: ConnectSettled): Promise<Link> {
  const makeClient = await loadDriver();
  const servers = settled.loadBalance ? shuffled(settled.servers) : settled.servers;
  const failures = new Map<string, DialFailure>();
  for (const wanted of passesOf(settled.targetSessionAttrs)) {
    for (const server of servers) {
      const result = await tryServer(server, { settled, makeClient, wanted });
      if (result instanceof Link) return result;
      const name = nameOf(server, settled);
      // The one that was tried last comes last.
      failures.delete(name);
      failures.set(name, result);
      // A server that knows us and says no is not one of several that may be down.
      if (result.code === "MW_ERR_PG_AUTH") throw connectError(failures);
    }
  }
  throw connectError(failures);
}

interface Attempt {
  readonly settled: ConnectSettled;
  readonly makeClient: DriverFactory;
  readonly wanted: TargetSessionAttrs;
}

async function tryServer(server: ServerAddress, { settled, makeClient, wanted }: Attempt): Promise<Link | DialFailure> {
  let failure: DialFailure | null = null;
  const deadline = now() + settled.connectTimeoutMs;
  for (const encryption of encryptionsOf(settled)) {
    const outcome = await tryLogin(server, encryption, settled, makeClient);
    failure = outcome.failure;
    if (outcome.made !== null) {
      const link = new Link({ ...outcome.made, settled, inContext });
      const ending = await enterScope(() => finish(link, wanted), { deadline });
      if (ending.kind === "value") return ending.value;
      failure = connectTimeout(settled);
    }
    // Only what the other way may change: the handshake, or a rule of the server about it.
    if (failure !== null && failure.code !== "MW_ERR_PG_TLS" && failure.sqlstate !== "28000") break;
  }
  return failure ?? new DialFailure("MW_ERR_PG_CONNECT", "it was not tried");
}

async function tryLogin(
  server: ServerAddress,
  encryption: Encryption,
  settled: ConnectSettled,
  makeClient: DriverFactory,
): Promise<Outcome> {
  const target: WaitTarget = {
    describe: () => `a connection to PostgreSQL at ${server.host}:${server.port}`,
    foreign: true,
  };
  const { clock } = currentScopeNode().runner;
  let outcome: Outcome | undefined;
  let login: Login | null = null;
  try {
    await suspend<void>((waiter) => {
      login = inContext(
        () =>
          new Login({ server, encryption, settled, makeClient }, (failure, made) => {
            outcome = { failure, made };
            waiter.wake();
          }),
      );
      if (settled.connectTimeoutMs !== Infinity) wakeAt(waiter, clock.now() + settled.connectTimeoutMs);
      return undefined;
    }, target);
    // What arrived while the event loop was blocked is looked at before anything is decided.
    if (outcome === undefined) await giveWay();
    return outcome ?? { failure: connectTimeout(settled), made: null };
  } finally {
    if (outcome?.made == null) abort(login);
  }
}

function connectTimeout({ connectTimeoutMs }: ConnectSettled): DialFailure {
  const what = `no connection was made within ${connectTimeoutMs} ms; raise 'connectTimeoutMs' if the server is that slow`;
  return new DialFailure("MW_ERR_PG_CONNECT_TIMEOUT", what);
}

function abort(login: Login | null): void {
  login?.abort();
}

/** Looks at what the server is, and at types that are not known. */
async function finish(link: Link, wanted: TargetSessionAttrs): Promise<Link | DialFailure> {
  let isKept = false;
  try {
    if (wanted !== "any" && !(await fits(link, wanted))) {
      const what = `the server is not "${wanted}", as 'targetSessionAttrs' wants it`;
      return new DialFailure("MW_ERR_PG_TARGET", what);
    }
    await resolveTypes(link);
    isKept = true;
    return link;
  } finally {
    if (!isKept) link.destroy();
  }
}

async function fits(link: Link, wanted: TargetSessionAttrs): Promise<boolean> {
  const isPrimary = wanted === "primary" || wanted === "standby" || wanted === "prefer-standby";
  const text = isPrimary
    ? "select not pg_catalog.pg_is_in_recovery()"
    : "select pg_catalog.current_setting('transaction_read_only') = 'off'";
  const isIt = await link.run(new FetchValue<boolean>(text, []));
  return isIt === (wanted === "primary" || wanted === "read-write");
}

interface TypeRow {
  readonly asked: string;
  readonly oid: number;
  readonly array: number;
}

async function resolveTypes(link: Link): Promise<void> {
  const { types } = link.settled;
  const { unknown } = types;
  if (unknown.length === 0) return;
  const text = `select asked, t.oid, t.typarray as array
    from unnest($1::text[]) as asked join pg_catalog.pg_type t on t.oid = pg_catalog.to_regtype(asked)`;
  for (const { asked, oid, array } of await link.run(new FetchRows<TypeRow>(text, [unknown]))) {
    types.resolve({ name: asked, oid, arrayOid: array });
  }
}

/** With "prefer-standby" a second round takes whatever there is. */
function passesOf(wanted: TargetSessionAttrs): ReadonlyArray<TargetSessionAttrs> {
  return wanted === "prefer-standby" ? ["standby", "any"] : [wanted];
}

function encryptionsOf({ sslMode }: ConnectSettled): ReadonlyArray<Encryption> {
  if (sslMode === "disable") return ["plain"];
  if (sslMode === "allow") return ["plain", "required"];
  return sslMode === "prefer" ? ["offered", "plain"] : ["required"];
}

/** What an error calls a server. */
export function nameOf({ host, port }: ServerAddress, { database }: ConnectSettled): string {
  return `${host.includes(":") && !host.startsWith("/") ? `[${host}]` : host}:${port}/${database}`;
}

function shuffled<T>(items: ReadonlyArray<T>): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
