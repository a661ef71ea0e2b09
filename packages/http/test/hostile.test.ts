// A request to a hostile server ends: with the code or the result that is written down, in time, with nothing left in use
// and little in memory, and never spoils the next one.

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

import { ClientSession, HttpError, type RequestOptions } from "@meanwhile/http";
import { sleep } from "meanwhile";

import { HOSTILE } from "./hostile-answers.ts";
import type { Hostile } from "./hostile-rows.ts";
import { onEachHead, serveRaw, type TestServer } from "./servers.ts";

const LIMIT = 3 * 1024 * 1024;
/** Only where nothing else can end it. */
const SHORT_MS = 30;
const DEADLINE_MS = 5_000;
const PATIENT = { timeouts: { idleMs: DEADLINE_MS } };
const MOST_GROWTH = 60 * 1024 * 1024;

type Mode = "whole" | "byte by byte" | "reused" | "redirected" | "streamed";

/** A server that plays the row on every path but /good and /to. `goodOn` is the connection that answered /good last. */
async function playing(
  { answer, after }: Hostile,
  mode: Mode,
): Promise<TestServer & { goodOn: Socket[]; badOn: Socket[] }> {
  const goodOn: Socket[] = [];
  const badOn: Socket[] = [];
  const server = await serveRaw((socket) => {
    socket.setNoDelay(true);
    onEachHead(socket, async (head) => {
      const path = head.split(" ", 2)[1];
      if (path === "/good") {
        goodOn.push(socket);
        return socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
      }
      if (path === "/to") return socket.write("HTTP/1.1 302 Found\r\nLocation: /bad\r\nContent-Length: 0\r\n\r\n");
      badOn.push(socket);
      if (typeof answer === "function") return answer(socket, head);
      if (mode === "byte by byte") await eachByte(socket, Buffer.from(answer as string, "latin1"));
      else if (answer.length > 0) socket.write(typeof answer === "string" ? Buffer.from(answer, "latin1") : answer);
      if (after === undefined) return undefined;
      await turn();
      return after === "end" ? socket.end() : socket.resetAndDestroy();
    });
  });
  return Object.assign(server, { goodOn, badOn });
}

async function eachByte(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    if (socket.destroyed || !socket.writable) return;
    socket.write(Buffer.of(byte));
    await turn();
  }
}

/** How it ends: a code without its beginning, or status and body. */
async function endOf(session: ClientSession, { method = "GET", body }: Hostile, mode: Mode): Promise<string> {
  const options: RequestOptions = body === undefined ? {} : { body };
  try {
    if (mode === "reused") assert.equal(await (await session.get("/good", PATIENT)).text(), "good");
    const response = await session.request(method, mode === "redirected" ? "/to" : "/bad", options);
    if (mode !== "streamed") return `${response.status} ${await response.text()}`;
    const parts: Uint8Array[] = [];
    for await (const part of response.stream()) parts.push(part);
    return `${response.status} ${Buffer.concat(parts).toString()}`;
  } catch (error) {
    assert.ok(error instanceof HttpError, String(error));
    return error.code.slice("MW_ERR_HTTP_".length);
  }
}

async function check(row: Hostile, mode: Mode): Promise<void> {
  await using server = await playing(row, mode);
  const idleMs = row.isSlow === true ? SHORT_MS : DEADLINE_MS;
  await using session = new ClientSession({
    baseUrl: server.url,
    maxBodyBytes: row.maxBodyBytes ?? LIMIT,
    timeouts: { idleMs },
  });
  const started = performance.now();
  const end = await endOf(session, row, mode);
  assert.ok([row.ends].flat().includes(end), `${mode}: it ended in ${end.slice(0, 100)}`);
  assert.ok(performance.now() - started < DEADLINE_MS, `${mode}: it took too long`);
  while (session.statistics().inUse > 0 && performance.now() - started < DEADLINE_MS) await sleep(1);
  assert.equal(session.statistics().inUse, 0, `${mode}: something is in use`);
  // What the server has said too much has to arrive before it can be noticed.
  if (/^\d/.test(end)) for (let index = 0; index < 20; index += 1) await turn();
  assert.equal(await (await session.get("/good", PATIENT)).text(), "good", mode);
  const last = server.goodOn.at(-1);
  if (row.isHarmless !== true) assert.ok(last !== undefined && !server.badOn.includes(last), `${mode}: it was reused`);
}

/** How many bytes the program holds more than at the start, at the most. */
function growth(): () => number {
  const before = process.memoryUsage();
  return () => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external - before.heapUsed - before.external;
  };
}

let count = 0;
for (const [about, rows] of Object.entries(HOSTILE)) {
  describe(`An answer ${about}`, () => {
    for (const row of rows) {
      count += 1;
      it(`ends in ${[row.ends].flat().join(" or ")}: ${row.name}`, async () => {
        const grown = growth();
        for (const mode of ["whole", "byte by byte", "reused", "redirected", "streamed"] as const) {
          if (mode === "byte by byte" && (row.isLarge === true || typeof row.answer === "function")) continue;
          // Another method than GET is sent once, over whatever connection, and follows no redirect as it is.
          if (row.body !== undefined && mode === "redirected") continue;
          await check(row, mode);
        }
        assert.ok(grown() < MOST_GROWTH, `${grown()} bytes more`);
      });
    }
  });
}

describe("The list of hostile answers", () => {
  it("has at least 150 of them, each with a name of its own", () => {
    const names = Object.values(HOSTILE).flatMap((rows) => rows.map(({ name }) => name));
    assert.ok(count >= 150, `${count}`);
    assert.equal(new Set(names).size, count);
  });
});
