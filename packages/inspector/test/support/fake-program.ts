// A program that speaks the protocol on a Unix socket, and says what a test wants.

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Snapshot, StreamMessage } from "meanwhile/diagnostics";

import { hello, linesOf, snapshot } from "./messages.ts";

/** What a fake program says. */
export interface FakeProgramOptions {
  /** Its state, now and at the beginning of a stream. */
  readonly state?: Snapshot;
  /** The state at the beginning of a stream, if it is another one. */
  readonly streamed?: Snapshot;
  /** What comes in a stream after the state. */
  readonly messages?: Iterable<StreamMessage>;
  /** What may be asked for beyond looking. */
  readonly allowed?: readonly string[];
  /** Why nothing is cancelled; it is, without. */
  readonly refusal?: string;
  /** What any task waits for that runs elsewhere. */
  readonly remote?: readonly unknown[];
  /** Whether a stream ends after that, as when the program has ended. */
  readonly ends?: boolean;
}

/** Listens until it is disposed. */
export class FakeProgram implements AsyncDisposable {
  /** What was asked, and how. */
  readonly asked: string[] = [];
  /** Every stream that is open. */
  readonly streams: ServerResponse[] = [];
  readonly socket: string;
  readonly #folder: string;
  readonly #options: FakeProgramOptions;
  readonly #server = createServer((...exchange) => this.#answer(...exchange));

  private constructor(folder: string, options: FakeProgramOptions) {
    this.#folder = folder;
    this.socket = join(folder, "4242.sock");
    this.#options = options;
  }

  static async start(options: FakeProgramOptions = {}): Promise<FakeProgram> {
    const program = new FakeProgram(await mkdtemp(join(tmpdir(), "inspector-")), options);
    await new Promise<void>((resolve) => program.#server.listen(program.socket, resolve));
    return program;
  }

  /** Sends a message to everybody who listens. */
  send(message: StreamMessage): void {
    for (const stream of this.streams) stream.write(linesOf([message]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
    await rm(this.#folder, { recursive: true });
  }

  #answer({ method, url = "", headers }: IncomingMessage, response: ServerResponse): void {
    this.asked.push(`${method} ${url} ${JSON.stringify(headers)}`);
    const { state = snapshot(), streamed = state, messages = [], ends = false, allowed = [], refusal } = this.#options;
    const path = url.split("?")[0];
    // What a program that is not what it seems might send: none of it may reach the browser.
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("set-cookie", "a=b");
    const greeting = { ...hello(), allowed };
    if (path === "/v1/hello") return this.#one(response, greeting);
    if (path === "/v1/cancel") {
      response.statusCode = refusal === undefined ? 200 : 503;
      return void response.end(JSON.stringify({ type: "refusal", error: refusal }));
    }
    if (path === "/v1/remote") {
      response.setHeader("content-type", "application/json");
      return void response.end(JSON.stringify({ type: "remote", task: 0, jobs: this.#options.remote ?? [] }));
    }
    if (path === "/v1/snapshot") return this.#one(response, state);
    response.setHeader("content-type", "application/x-ndjson");
    response.write(linesOf([greeting, streamed, ...messages]));
    if (ends) return void response.end();
    this.streams.push(response);
  }

  #one(response: ServerResponse, message: StreamMessage): void {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(message));
  }
}
