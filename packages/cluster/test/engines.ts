// The engines that the suite runs on, and what its tests need of each.

import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { type Cluster, type ClusterOptions, connectCluster, type ServeOptions, serveCluster } from "@meanwhile/cluster";

export type Functions = typeof import("./functions.ts");
export const FUNCTIONS: URL = new URL("./functions.ts", import.meta.url);

/** A kind of queue. */
export interface TestEngine {
  readonly name: string;
  /** Why it cannot be tested here; false if it can. */
  readonly skip: string | false;
  /** Where it is; undefined for this process. */
  url(): Promise<string | undefined>;
}

/** A worker and a client of a queue of its own. */
export interface Pair extends AsyncDisposable {
  readonly cluster: Cluster<Functions>;
  readonly worker: Awaited<ReturnType<typeof serveCluster>>;
  readonly queue: string;
  readonly url: string | undefined;
  /** A file that is not there yet. */
  readonly file: string;
}

/** Options of both sides, and of each. */
export interface PairOptions {
  readonly both?: Omit<ClusterOptions & ServeOptions, "queue" | "url">;
  readonly client?: Omit<ClusterOptions, "queue">;
  readonly worker?: Omit<ServeOptions, "queue" | "url">;
}

const directory = mkdtempSync(join(tmpdir(), "meanwhile-cluster-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

/** A file that is not there yet. */
export function newFile(): string {
  files += 1;
  const file = join(directory, `file-${files}`);
  writeFileSync(file, "");
  return file;
}

/** A queue that nobody has used. */
export function newQueue(): string {
  return `test-${randomUUID()}`;
}

/** A worker and a client, connected. */
export async function pairOf(engine: TestEngine, options: PairOptions = {}): Promise<Pair> {
  const queue = newQueue();
  const url = await engine.url();
  const { both = {}, client = {}, worker: forWorker = {} } = options;
  const worker = await serveCluster(FUNCTIONS, { concurrency: 2, ...both, ...forWorker, queue, url });
  const cluster = await connectCluster<Functions>(url, { pollMs: 200, ...both, ...client, queue });
  return {
    cluster,
    worker,
    queue,
    url,
    file: newFile(),
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]();
      await worker[Symbol.asyncDispose]();
    },
  };
}

/** The lines of a file. */
export function linesOf(file: string): string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8").split("\n").slice(0, -1);
}

/** Waits until something is so; at most for a while. */
export async function until(isSo: () => boolean, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`It was not so after ${ms} ms: ${isSo.toString()}`);
    await pause(5);
  }
}
