// Asks a program under diagnostics over its socket, as the command line does.

import { spawn } from "node:child_process";
import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { request } from "node:http";
import { fileURLToPath } from "node:url";

import type { Snapshot, StreamMessage } from "meanwhile/diagnostics";

/** An answer. */
export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

/** Asks once. */
export async function ask(socketPath: string | null, path: string, method = "GET"): Promise<Answered> {
  const { promise, resolve, reject } = Promise.withResolvers<Answered>();
  request({ socketPath: socketPath ?? "", path, method }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => (text += part));
    response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
  })
    .on("error", reject)
    .end();
  return promise;
}

/** Asks for a snapshot. */
export async function snapshotFrom(socketPath: string | null, query = ""): Promise<Snapshot> {
  return (await ask(socketPath, `/v1/snapshot${query}`)).body as Snapshot;
}

/** A stream that is read as far as one asks. */
export interface OpenStream extends Disposable {
  /** All lines so far. */
  readonly lines: readonly StreamMessage[];
  /** The first line, so far or to come, that is wanted. */
  until<T extends StreamMessage>(isWanted: (line: StreamMessage) => line is T): Promise<T>;
  /** When the other side has ended it. */
  readonly ended: Promise<void>;
}

/** Opens a stream of lines. */
export function openStream(socketPath: string | null, path: string): OpenStream {
  const lines: StreamMessage[] = [];
  const ended = Promise.withResolvers<void>();
  const wanted = new Set<() => void>();
  const asked = request({ socketPath: socketPath ?? "", path }, (response) => {
    let rest = "";
    response.setEncoding("utf8").on("data", (part: string) => {
      const texts = (rest + part).split("\n");
      rest = texts.pop() ?? "";
      lines.push(...texts.map((text) => JSON.parse(text) as StreamMessage));
      for (const look of wanted) look();
    });
    response.on("close", ended.resolve);
  });
  asked.on("error", () => ended.resolve());
  asked.end();
  return {
    lines,
    ended: ended.promise,
    until: <T extends StreamMessage>(isWanted: (line: StreamMessage) => line is T): Promise<T> => {
      const { promise, resolve } = Promise.withResolvers<T>();
      const look = (): void => {
        const found = lines.find(isWanted);
        if (found === undefined) return;
        wanted.delete(look);
        resolve(found);
      };
      wanted.add(look);
      look();
      return promise;
    },
    [Symbol.dispose]: () => void asked.destroy(),
  };
}

/** What is published on a channel while the block goes on. */
export interface Published<T> extends Disposable {
  readonly seen: readonly T[];
  /** The first message, so far or to come, that is wanted. */
  until(isWanted: (message: T) => boolean): Promise<T>;
}

/** Listens to a channel. */
export function listenTo<T>(name: string): Published<T> {
  const seen: T[] = [];
  const wanted = new Set<() => void>();
  const listener = (message: unknown): void => {
    seen.push(message as T);
    for (const look of wanted) look();
  };
  channel(name);
  subscribe(name, listener);
  // The worker that tells of these does not hold the process: who waits for it does.
  const held = setInterval(() => {}, 10);
  return {
    seen,
    until: (isWanted) => {
      const { promise, resolve } = Promise.withResolvers<T>();
      const look = (): void => {
        const found = seen.find(isWanted);
        if (found === undefined) return;
        wanted.delete(look);
        resolve(found);
      };
      wanted.add(look);
      look();
      return promise;
    },
    [Symbol.dispose]: () => {
      clearInterval(held);
      unsubscribe(name, listener);
    },
  };
}

/** Blocks this thread. */
export function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Runs one of the programs in `fixtures/` to its end. */
export async function outputOf(
  fixture: string,
  flags: readonly string[] = [],
  args: readonly string[] = [],
): Promise<{ code: number | null; text: string }> {
  const file = fileURLToPath(new URL(`fixtures/${fixture}`, import.meta.url));
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const env = { ...inherited, NODE_V8_COVERAGE: "" };
  const child = spawn(process.execPath, ["--conditions=@meanwhile/source", ...flags, file, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env,
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part) => (text += part));
  const [code] = await once(child, "close");
  return { code, text };
}
