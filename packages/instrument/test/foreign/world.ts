// meanwhile:off file
// What scenarios use, and how to tell that nothing of it is left.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { type FileHandle, open as openFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Activity } from "./activity.ts";

/** A server and a folder for all runs of a file of tests. */
export class Place implements AsyncDisposable {
  readonly #server: Server;
  readonly #answers: Set<ServerResponse>;
  readonly folder: string = mkdtempSync(join(tmpdir(), "foreign-"));
  readonly file: string = join(this.folder, "lines.txt");

  private constructor(server: Server, answers: Set<ServerResponse>) {
    this.#server = server;
    this.#answers = answers;
    writeFileSync(this.file, "first\nsecond\nthird\n");
  }

  static async open(): Promise<Place> {
    const answers = new Set<ServerResponse>();
    const server = createServer((request, response) => {
      answers.add(response);
      response.once("close", () => answers.delete(response));
      answer(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Place(server, answers);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many requests the server answers. Idle connections are no leftovers: `fetch` keeps them for the next request. */
  get requests(): number {
    return this.#answers.size;
  }

  /** The open files in the folder. */
  openFiles(): string[] {
    return readdirSync("/proc/self/fd").flatMap((fd) => {
      const path = targetOf(`/proc/self/fd/${fd}`);
      return path?.startsWith(this.folder) === true ? [path.slice(this.folder.length + 1)] : [];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
    rmSync(this.folder, { recursive: true });
  }
}

function targetOf(link: string): string | null {
  try {
    return readlinkSync(link);
  } catch {
    return null; // the folder of descriptors itself was one of them
  }
}

/** `/text` answers in three parts; `/hangs` never; `/endless` begins its answer and goes on for ever. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  if (request.url === "/hangs") return;
  if (request.url === "/endless") {
    const timer = setInterval(() => response.write("part\n"), 1);
    response.once("close", () => clearInterval(timer));
    return;
  }
  response.write("one,");
  setImmediate(() => {
    response.write("two,");
    setImmediate(() => response.end("three"));
  });
}

/** What one run of a scenario is given. */
export class World implements AsyncDisposable {
  readonly place: Place;
  readonly faults: string[] = [];
  /** The part of the scenario that is not in it: calls its outermost function. */
  readonly root: Activity = new Activity("the test", this.faults);
  readonly #checks: Array<() => unknown> = [];

  constructor(place: Place) {
    this.place = place;
  }

  /** Has to hold in the end, and hold soon: what is being closed takes its time. */
  afterwards(check: () => unknown): void {
    this.#checks.push(check);
  }

  /** Throws what is wrong now that the scenario has ended. */
  async check(): Promise<void> {
    assert.deepEqual(this.faults, []);
    assert.deepEqual(this.root.unfinished(), []);
    for (const check of this.#checks) await check();
  }

  /** Closes what was lost. */
  async [Symbol.asyncDispose](): Promise<void> {
    const files = await Promise.allSettled(opened);
    opened = [];
    for (const file of files) if (file.status === "fulfilled") await file.value.close();
  }
}

let opened: Array<Promise<FileHandle>> = [];

/** `open` of `node:fs/promises`. What it opens is kept: otherwise the garbage collector would close what is lost. */
export function open(path: string, flags?: string): Promise<FileHandle> {
  const opening = openFile(path, flags);
  opened.push(opening);
  return opening;
}
