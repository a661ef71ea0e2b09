// What instrumentation costs a server: each request goes through 14 async calls.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

import { plainAndInstrumented } from "../harness/instrumented.ts";
import type { Measured, Row } from "../harness/row.ts";

const WARM_UP = "2s";
const MEASURED = "4s";
const LAYERS = 12;

// Like the middlewares of a framework, with a wait at the bottom.
async function layer(depth: number, user: string): Promise<string> {
  if (depth > 0) return await layer(depth - 1, user);
  await new Promise<void>((resolve) => void setImmediate(resolve));
  return JSON.stringify({ user, at: depth, list: [1, 2, 3] });
}

async function authenticate(url: string): Promise<string> {
  await new Promise<void>(queueMicrotask);
  return url.slice(1);
}

async function answer(url: string, response: ServerResponse): Promise<void> {
  const user = await authenticate(url);
  response.end(await layer(LAYERS - 1, user));
}

async function measure(): Promise<Measured> {
  const [{ run }, { adoptContextless, currentScopeNode }] = await Promise.all([
    import("meanwhile"),
    import("meanwhile/lowlevel"),
  ]);
  return run(async () => {
    // Node enters request handlers without a context; `meanwhile run` gives them that of the program in the same way.
    using adopted = adoptContextless(currentScopeNode());
    const server = createServer((request, response) => {
      answer(request.url ?? "", response).catch(() => response.destroy());
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/ada`;
    await load(url, WARM_UP);
    const before = process.cpuUsage();
    const requests = await load(url, MEASURED);
    const { user, system } = process.cpuUsage(before);
    server.closeAllConnections();
    await once(server.close(), "close");
    adopted[Symbol.dispose]();
    return { cpu: (user + system) / requests };
  });
}

/** How many requests wrk was answered. */
async function load(url: string, time: string): Promise<number> {
  const wrk = spawn("wrk", ["-t", "1", "-c", "50", "-d", time, url], { stdio: ["ignore", "pipe", "inherit"] });
  const printed = await text(wrk.stdout);
  return Number(/(\d+) requests in/.exec(printed)?.[1]);
}

export const row: Row = {
  name: "server",
  title: "a server of Node with 14 async calls for each request",
  about:
    "CPU time of the server process for each request, user and system, while wrk asks over 50 connections. Each request goes through 14 async functions, two of which wait for something foreign. " +
    "In both forms the handlers run inside of run(), as under `meanwhile run`.",
  server: {
    missing: () => (spawnSync("wrk", ["-v"]).error === undefined ? null : "it needs wrk: apt-get install wrk"),
    // Each child is its own server.
    start: () => Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() }),
  },
  figures: [{ key: "cpu", label: "CPU µs per request", better: "less" }],
  peers: plainAndInstrumented(measure),
  targets: [{ ours: "instrumented", beside: "plain", figure: "cpu", compares: "cost", limit: 1.05 }],
};
