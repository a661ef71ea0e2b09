// Echoes over WebSocket: a server of bare ws for clients that are measured, and bare clients for servers that are.
// `BENCH_WS_URL` is the address of that server, `BENCH_WS_LOAD` and `BENCH_WS_IDLE` are the programs of those clients.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { check, costOf, LONG, peakMb } from "./measuring.ts";
import type { Figure, Measured, Server } from "./row.ts";

/** How many connections echo at a time. */
export const CONNECTIONS = 10;
/** How many connections do nothing. */
export const IDLE = 10_000;

const ECHO_PROGRAM = join(import.meta.dirname, "websocket-echo.ts");
const LOAD_PROGRAM = join(import.meta.dirname, "websocket-load.ts");
const IDLE_PROGRAM = join(import.meta.dirname, "websocket-idle.ts");

/** The figures of all echoes. */
export const ECHO_FIGURES: readonly Figure[] = [
  { key: "rate", label: "echoes/s", better: "more" },
  { key: "cpu", label: "CPU µs per echo", better: "less" },
];

export const echoServer: Server = { missing: () => null, start: startEcho };

/** For rows whose peers are the servers. */
export const noServer: Server = {
  missing: () => null,
  start: () => {
    process.env["BENCH_NODE"] = process.execPath;
    process.env["BENCH_WS_LOAD"] = LOAD_PROGRAM;
    process.env["BENCH_WS_IDLE"] = IDLE_PROGRAM;
    return Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() });
  },
};

async function startEcho(): Promise<AsyncDisposable> {
  const child = spawn(process.execPath, [ECHO_PROGRAM], { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = await once(createInterface(child.stdout), "line");
  process.env["BENCH_WS_URL"] = `ws://127.0.0.1:${port}/`;
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      const exited = once(child, "exit");
      child.kill();
      await exited;
    },
  };
}

/** Where the server is. */
export const url = (): string => process.env["BENCH_WS_URL"] ?? "";

/** What is sent: a text of 125 bytes, or 64 kB of bytes. */
export function payloadOf(size: number): string | Uint8Array {
  return size < 1_000 ? "x".repeat(size) : new Uint8Array(size).fill(7);
}

/** How many echoes make a repetition. */
export const echoesOf = (size: number): number => (size < 1_000 ? 20_000 : 4_000);

/** Echoes a second; `echo` sends the payload over one connection until `take` gives false, and checks the length of each answer. */
export async function echoesPerSecond(
  size: number,
  echoAll: (take: () => boolean) => Promise<unknown>,
): Promise<Measured> {
  const count = echoesOf(size);
  const { wallMs, cpuMs } = await costOf(() => {
    let left = count;
    return echoAll(() => {
      left -= 1;
      return left >= 0;
    });
  }, LONG);
  return { rate: (count * 1000) / wallMs, cpu: (cpuMs * 1000) / count };
}

/** The clients of a server that is measured; their lines come one by one. */
function startClients(
  program: string,
  port: number,
  argument: number,
): { child: ChildProcess; line: () => Promise<string> } {
  const child = spawn(process.execPath, [program, `ws://127.0.0.1:${port}/`, String(argument)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return { child, line: async () => String((await lines.next()).value) };
}

/** What bare clients are echoed a second by the server on this port of this process. */
export async function loadServer(port: number, size: number): Promise<Measured> {
  const { child, line } = startClients(LOAD_PROGRAM, port, size);
  check("warm", (await line()) === "warm" ? 1 : 0, 1);
  const before = process.cpuUsage();
  const { rate, echoes }: { rate: number; echoes: number } = JSON.parse(await line());
  const { user, system } = process.cpuUsage(before);
  child.stdin?.end();
  await once(child, "exit");
  return { rate, cpu: (user + system) / echoes };
}

/** How much more memory the server on this port of this process takes for each connection that does nothing. */
export async function weighIdle(port: number, countOpen: () => number): Promise<Measured> {
  const beforeMb = peakMb();
  const { child, line } = startClients(IDLE_PROGRAM, port, IDLE);
  check("open", (await line()) === "open" ? 1 : 0, 1);
  check("connections", countOpen(), IDLE);
  const bytes = ((peakMb() - beforeMb) * 2 ** 20) / IDLE;
  child.stdin?.end();
  await once(child, "exit");
  return { bytes };
}
