// Queues on PostgreSQL. BullMQ keeps them in a schema of its own, which it makes; the leases are in one of ours.

import { createHash } from "node:crypto";

import { createPostgresBackend, runMigrations, withBackend } from "bullmq";
import { Client, Pool } from "pg";

import { bullEngine } from "./bull-engine.ts";
import type { AnyQueue, AnyWorker } from "./bull-server.ts";
import { type Control, isConnectionTrouble } from "./control.ts";
import type { Engine, QueueSettings } from "./engine.ts";
import { patient } from "./patient-backend.ts";
import { PostgresSubscriber } from "./postgres-subscriber.ts";

const { clearTimeout, setTimeout } = globalThis;

/** A notification has 8 000 bytes at most. */
const MAX_TEXT_BYTES = 7_900;

/** How long an answer may take at least before its connection counts as dead. */
const LEAST_ANSWER_MS = 2_000;

const SETUP = `
  BEGIN;
  SELECT pg_advisory_xact_lock(7164229301);
  CREATE SCHEMA IF NOT EXISTS meanwhile_cluster;
  CREATE UNLOGGED TABLE IF NOT EXISTS meanwhile_cluster.client (
    queue text NOT NULL, id text NOT NULL, until timestamptz NOT NULL, PRIMARY KEY (queue, id)
  );
  COMMIT`;

/** The queues of a PostgreSQL server. */
export function postgresEngine(url: string): Engine {
  const bull = withBackend(createPostgresBackend);
  const patientBull = (ms: number): typeof bull =>
    withBackend((...args: Parameters<typeof createPostgresBackend>) => patient(createPostgresBackend(...args), ms));
  return bullEngine({
    isCountCheap: false,
    control: (settings, listener) => PostgresControl.open(url, settings, listener),
    queue(name, options, control) {
      const connection = { ...(control as PostgresControl).connection };
      return new bull.Queue(name, { ...options, connection }) as AnyQueue;
    },
    worker(name, processor, options, control) {
      const connection = { ...(control as PostgresControl).connection };
      return new (patientBull(options.lockDuration ?? 0).Worker)(name, processor, {
        ...options,
        connection,
      }) as AnyWorker;
    },
  });
}

/** How a server is connected to. */
interface Connection {
  readonly connectionString: string;
  readonly connectionTimeoutMillis: number;
  readonly query_timeout: number;
  readonly keepAlive: true;
}

/** A connection to nobody is given up before locks and leases are lost, as a rule: without that it would be waited for for ever. */
function connectionTo(url: string, { connectTimeoutMs, lostAfterMs }: QueueSettings): Connection {
  return {
    connectionString: url,
    connectionTimeoutMillis: Math.min(connectTimeoutMs, 2 ** 31 - 1),
    query_timeout: Math.min(Math.max(lostAfterMs / 3, LEAST_ANSWER_MS), 2 ** 31 - 1),
    keepAlive: true,
  };
}

/** Makes what is not there yet. It may wait for others who do so, for longer than an answer may take. */
async function setUp({ query_timeout: _any, ...connection }: Connection): Promise<void> {
  const client = new Client(connection);
  client.on("error", ignore);
  const timer = setTimeout(() => void client.end().catch(ignore), connection.connectionTimeoutMillis);
  try {
    await client.connect();
    await runMigrations(client);
    await client.query(SETUP);
  } finally {
    clearTimeout(timer);
    await client.end();
  }
}

class PostgresControl implements Control {
  readonly maxTextBytes = MAX_TEXT_BYTES;
  /** For others who connect. */
  readonly connection: Connection;
  readonly #pool: Pool;
  readonly #subscriber: PostgresSubscriber;
  readonly #queue: string;
  readonly #lostAfterMs: number;
  #published: Promise<void> = Promise.resolve();

  private constructor(
    connection: Connection,
    pool: Pool,
    subscriber: PostgresSubscriber,
    { queue, lostAfterMs }: QueueSettings,
  ) {
    this.connection = connection;
    this.#pool = pool;
    this.#subscriber = subscriber;
    this.#queue = queue;
    this.#lostAfterMs = lostAfterMs;
  }

  static async open(url: string, settings: QueueSettings, listener: { gap(): void }): Promise<PostgresControl> {
    const connection = connectionTo(url, settings);
    await setUp(connection);
    const pool = new Pool({ ...connection, max: 2 });
    pool.on("error", ignore);
    const subscriber = new PostgresSubscriber(connection, () => listener.gap());
    try {
      await subscriber.open();
    } catch (error) {
      await Promise.allSettled([pool.end(), subscriber.close()]);
      throw error;
    }
    return new PostgresControl(connection, pool, subscriber, settings);
  }

  /** A name of a channel has 63 bytes at most. */
  #channel(id: string): string {
    return `meanwhile_${createHash("sha256").update(`${this.#queue}\n${id}`).digest("hex").slice(0, 40)}`;
  }

  // One after the other: each may take another connection, and then progress would come in any order, or after the end.
  publish(messages: ReadonlyArray<readonly [channel: string, text: string]>): Promise<void> {
    const publishing = this.#published.then(() => this.#publishNow(messages));
    this.#published = publishing.catch(ignore);
    return publishing;
  }

  async #publishNow(messages: ReadonlyArray<readonly [channel: string, text: string]>): Promise<void> {
    const channels = messages.map(([id]) => this.#channel(id));
    const texts = messages.map(([, text]) => text);
    await this.#pool.query("SELECT pg_notify(c, t) FROM unnest($1::text[], $2::text[]) AS m (c, t)", [channels, texts]);
  }

  async subscribe(channels: readonly string[], received: (text: string) => void): Promise<void> {
    await this.#subscriber.listen(
      channels.map((id) => this.#channel(id)),
      received,
    );
  }

  async lease(id: string, ttlMs: number): Promise<number> {
    this.#subscriber.check();
    const { rows } = await this.#pool.query<{ ms: string }>(
      `INSERT INTO meanwhile_cluster.client AS c (queue, id, until)
       VALUES ($1, $2, now() + least($3, 1e12) * interval '1 ms')
       ON CONFLICT (queue, id) DO UPDATE SET until = excluded.until
       RETURNING extract(epoch FROM clock_timestamp()) * 1000 AS ms`,
      [this.#queue, id, ttlMs],
    );
    return Number(rows[0]?.ms);
  }

  /** Takes away what others have left, too. */
  async unlease(id: string): Promise<void> {
    await this.#pool.query(
      `DELETE FROM meanwhile_cluster.client
       WHERE queue = $1 AND (id = $2 OR until < now() - interval '1 hour')`,
      [this.#queue, id],
    );
  }

  async alive(ids: readonly string[]): Promise<boolean[]> {
    // An unlogged table is empty after a crash: a server that has just come back may have forgotten them.
    const { rows } = await this.#pool.query<{ id: string }>(
      `SELECT a.id FROM unnest($2::text[]) AS a (id)
       WHERE pg_postmaster_start_time() > now() - least($3, 1e12) * interval '1 ms' OR EXISTS (
         SELECT FROM meanwhile_cluster.client AS c WHERE c.queue = $1 AND c.id = a.id AND c.until > now())`,
      [this.#queue, ids, this.#lostAfterMs],
    );
    const there = new Set(rows.map(({ id }) => id));
    return ids.map((id) => there.has(id));
  }

  async time(): Promise<number> {
    this.#subscriber.check();
    const { rows } = await this.#pool.query<{ ms: string }>(
      "SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms",
    );
    return Number(rows[0]?.ms);
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#pool.end(), this.#subscriber.close()]);
  }

  isPassing(error: unknown): boolean {
    return isConnectionTrouble(error);
  }
}

function ignore(): void {}
