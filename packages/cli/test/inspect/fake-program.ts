// A program that answers on a socket of its own folder what a test has written down.

import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Hello, Snapshot, StreamMessage } from "meanwhile/diagnostics";

import { hello, snapshot } from "../../../meanwhile/test/diagnostics/reading/told.ts";
import { type CliOptions, type Ended, startCli, type Started } from "../support/cli.ts";

/** What a program answers; a function takes care of the answer by itself. */
export interface Answers {
  readonly hello?: Hello;
  readonly snapshot?: Snapshot;
  readonly stream?: readonly StreamMessage[];
  readonly other?: (response: ServerResponse, url: string) => void;
}

/** A folder for sockets, and the programs in it, for one test. */
export class SocketFolder implements AsyncDisposable {
  /** What `XDG_RUNTIME_DIR` is for those who look for them. */
  readonly root: string = mkdtempSync(join(tmpdir(), "meanwhile-sockets-"));
  readonly #open = new AsyncDisposableStack();
  /** Where sockets are. */
  readonly path: string = join(this.root, "meanwhile");
  /** Paths that were asked for. */
  readonly asked: string[] = [];

  constructor() {
    mkdirSync(this.path, { mode: 0o700 });
  }

  /** Starts a program; its number is that of this process, unless something else is said. */
  async start(answers: Answers, name: string = String(process.pid)): Promise<void> {
    const server = createServer((request, response) => {
      const url = request.url ?? "";
      this.asked.push(url);
      if (answers.other !== undefined) return answers.other(response, url);
      if (url.startsWith("/v1/hello")) response.end(JSON.stringify(answers.hello ?? hello()));
      else if (url.startsWith("/v1/snapshot")) response.end(JSON.stringify(answers.snapshot ?? snapshot()));
      else response.end((answers.stream ?? []).map((message) => `${JSON.stringify(message)}\n`).join(""));
    });
    const socket = join(this.path, `${name}.sock`);
    await new Promise<void>((resolve) => void server.listen(socket, resolve));
    this.#open.defer(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    });
  }

  /** Lets others look into the folder, as one that somebody else has made. */
  open(): void {
    chmodSync(this.path, 0o755);
  }

  /** Runs `meanwhile`, which finds these programs. */
  async cli(args: readonly string[], options?: CliOptions): Promise<Ended> {
    return this.startCli(args, options).ended;
  }

  /** Starts `meanwhile`. */
  startCli(args: readonly string[], options?: CliOptions): Started {
    const started = startCli(args, { ...options, env: { XDG_RUNTIME_DIR: this.root } });
    // A test that fails must leave nothing behind; what has ended hears of no signal.
    this.#open.defer(() => void started.child.kill());
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.disposeAsync();
    rmSync(this.root, { recursive: true });
  }
}
