// All rows, in the order of the table.

import type { Row } from "../harness/row.ts";
import { row as cancel } from "./cancel.ts";
import { row as chain } from "./chain.ts";
import { row as clusterPostgres } from "./cluster-postgres.ts";
import { row as clusterScaling } from "./cluster-scaling.ts";
import { row as cluster } from "./cluster.ts";
import { row as create } from "./create.ts";
import { row as diagnostics } from "./diagnostics.ts";
import { row as fetchLarge } from "./fetch-large.ts";
import { row as fetch } from "./fetch.ts";
import { row as gather } from "./gather.ts";
import { row as http } from "./http.ts";
import { row as instrument } from "./instrument.ts";
import { row as lock } from "./lock.ts";
import { row as map } from "./map.ts";
import { row as memory } from "./memory.ts";
import { row as postgresAcquire } from "./postgres-acquire.ts";
import { row as postgresCopy } from "./postgres-copy.ts";
import { row as postgresRows } from "./postgres-rows.ts";
import { row as postgresTransaction } from "./postgres-transaction.ts";
import { row as postgres } from "./postgres.ts";
import { row as queue } from "./queue.ts";
import { row as semaphore } from "./semaphore.ts";
import { row as server } from "./server.ts";
import { row as sleep } from "./sleep.ts";
import { row as startup } from "./startup.ts";
import { row as websocketIdle } from "./websocket-idle.ts";
import { row as websocketLarge } from "./websocket-large.ts";
import { row as websocketServerLarge } from "./websocket-server-large.ts";
import { row as websocketServer } from "./websocket-server.ts";
import { row as websocket } from "./websocket.ts";
import { row as workersBuffer } from "./workers-buffer.ts";
import { row as workersBurst } from "./workers-burst.ts";
import { row as workersMap } from "./workers-map.ts";
import { row as workersPrimes } from "./workers-primes.ts";
import { row as workersStart } from "./workers-start.ts";
import { row as workersTurns } from "./workers-turns.ts";

/** The rows of the package `meanwhile` itself. */
export const core: readonly Row[] = [
  gather,
  sleep,
  memory,
  map,
  queue,
  lock,
  semaphore,
  chain,
  cancel,
  create,
  diagnostics,
];

/** The rows of the package `@meanwhile/postgres`. */
const database: readonly Row[] = [postgres, postgresRows, postgresTransaction, postgresCopy, postgresAcquire];

/** The rows of the package `@meanwhile/websocket`. */
const websockets: readonly Row[] = [websocket, websocketLarge, websocketServer, websocketServerLarge, websocketIdle];

/** The rows of `meanwhile/workers`. */
export const workers: readonly Row[] = [
  workersBurst,
  workersTurns,
  workersMap,
  workersBuffer,
  workersStart,
  workersPrimes,
];

export const rows: readonly Row[] = [
  ...core,
  instrument,
  server,
  startup,
  http,
  fetch,
  fetchLarge,
  ...workers,
  ...database,
  ...websockets,
  cluster,
  clusterPostgres,
  clusterScaling,
];
