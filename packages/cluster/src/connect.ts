// Opens both sides of a queue.

import { randomUUID } from "node:crypto";

import { cancellable, timeout, TimeoutError } from "meanwhile";

import { Caretaker } from "./caretaker.ts";
import { Client } from "./client.ts";
import { Cluster } from "./cluster.ts";
import { detached } from "./detached.ts";
import type { ClientPort, Engine } from "./engine.ts";
import { ClusterError } from "./errors.ts";
import { memoryEngine } from "./memory-engine.ts";
import { badOption, checkClient, type ClusterOptions } from "./options.ts";

/**
 * Connects to a queue whose workers call the functions of a module.
 *
 * Cancellation: safe. What was opened by then is closed.
 *
 * @typeParam M - the type of the module: `typeof import("./math.ts")`
 * @param url - `redis:` or `rediss:` (Redis, Valkey), `postgres:` or `postgresql:`; undefined for a queue inside this process
 * @throws {@link ClusterError} `MW_ERR_CLUSTER_CONNECT` if the server cannot be reached, `MW_ERR_CLUSTER_INVALID_ARGUMENT`
 *
 * @example
 * ```ts
 * import { connectCluster, serveCluster } from "@meanwhile/cluster";
 *
 * await using worker = await serveCluster(new URL("node:path"), { queue: "paths", concurrency: 1 });
 * await using cluster = await connectCluster<typeof import("node:path")>(undefined, { queue: "paths" });
 * console.log(await cluster.call("basename", "/tmp/report.txt")); //> report.txt
 * ```
 */
export async function connectCluster<M>(url: string | URL | undefined, options: ClusterOptions): Promise<Cluster<M>> {
  const settings = checkClient(options);
  const engine = await engineOf("connect to a cluster", url);
  const client = new Client(`${settings.host}-${process.pid}-${randomUUID().slice(0, 8)}`, settings);
  await openWithin(settings.connectTimeoutMs, url, () => openAndSayThere(engine, client));
  return new Cluster<M>(client, new Caretaker(client));
}

async function openAndSayThere(engine: Engine, client: Client): Promise<ClientPort> {
  const port = await engine.openClient(client.settings, client.id, client);
  try {
    client.connected(port);
    await client.clock.read();
    client.heard();
    return port;
  } catch (error) {
    await port.close();
    throw error;
  }
}

/** Which engine keeps the queues of a URL. */
export async function engineOf(what: string, url: string | URL | undefined): Promise<Engine> {
  if (url === undefined) return memoryEngine;
  const parsed = url instanceof URL ? url : URL.parse(url);
  switch (parsed?.protocol) {
    case "redis:":
    case "rediss:":
      return (await import("./redis-engine.ts")).redisEngine(String(url));
    case "postgres:":
    case "postgresql:":
      return (await import("./postgres-engine.ts")).postgresEngine(String(url));
    default:
      // Not the URL itself: there may be a password in it.
      throw badOption(
        what,
        "url",
        parsed?.protocol ?? typeof url,
        "a URL with redis:, rediss:, postgres: or postgresql:",
      );
  }
}

/** Opens a connection that is nobody's but the cluster's. */
export async function openWithin<P extends { close(): Promise<void> }>(
  ms: number,
  url: string | URL | undefined,
  open: () => Promise<P>,
): Promise<P> {
  const opening = detached(async () => await open()).then((ending) => (ending as { value: P }).value);
  try {
    return await timeout(ms, () => cancellable(opening));
  } catch (error) {
    opening.then((port) => port.close(), ignore).catch(ignore);
    if (isLate(error)) throw connectFailed(url, noAnswer(ms), error);
    if (error instanceof ClusterError || !isConnectFailure(error)) throw error;
    throw connectFailed(url, (error as Error).message, error);
  }
}

/** Whether it took too long, by our clock or by that of pg, which may be a moment earlier. */
function isLate(error: unknown): boolean {
  return error instanceof TimeoutError || (error instanceof Error && error.message === "timeout expired");
}

function noAnswer(ms: number): string {
  return `there was no answer in ${ms} ms; see whether the server is there and not busy, or raise 'connectTimeoutMs'`;
}

function isConnectFailure(error: unknown): boolean {
  return error instanceof Error && error.name !== "CancelledError";
}

function connectFailed(url: string | URL | undefined, why: string, cause: unknown): ClusterError {
  const { protocol = "memory:", host = "" } = url === undefined ? {} : new URL(url);
  return new ClusterError("MW_ERR_CLUSTER_CONNECT", `Cannot connect to ${protocol}//${host}: ${why}`, { cause });
}

function ignore(): void {}
