// Writes when each attempt began and ended, in the format of Chrome's trace viewer: `--trace FILE`.

import * as fs from "node:fs";

import { redactUrl } from "@meanwhile/http";

import { CommandError, EXIT, startError } from "../errors.ts";
import { toSafeJson } from "../output/escape.ts";
import { LineWriter } from "../output/line-writer.ts";
import type { Outcome } from "./outcome.ts";
import type { Target } from "./target.ts";

const LONGEST_NAME = 200;
const MICROSECONDS = 1_000;

/** An attempt that runs. */
export interface Span {
  /** Its line in the viewer: the lowest one that is free, so that there are as many as requests at once. */
  readonly lane: number;
  readonly startedAt: number;
}

/** @see {@link https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU} */
export class Trace {
  readonly #fd: number;
  readonly #writer: LineWriter;
  readonly #lanes: boolean[] = [];
  readonly #startedAt = performance.now();

  private constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#writer = new LineWriter({ fd, name: `"${path}"` });
    const name = { name: "process_name", ph: "M", pid: 1, tid: 0, args: { name: "meanwhile fetch" } };
    this.#writer.write(`[\n${JSON.stringify(name)}`);
  }

  /** @throws {@link CommandError} with exit code 3 if the file cannot be made, or has something in it */
  static open(path: string): Trace {
    let fd: number;
    try {
      fd = fs.openSync(path, "a", 0o600);
    } catch (error) {
      throw startError(`cannot write "${path}"`, error);
    }
    if (fs.fstatSync(fd).isFile() && fs.fstatSync(fd).size > 0) {
      fs.closeSync(fd);
      throw new CommandError(EXIT.notStarted, `cannot write "${path}": there is a file of that name`);
    }
    return new Trace(fd, path);
  }

  /** An attempt begins. */
  begin(): Span {
    const free = this.#lanes.indexOf(false);
    const lane = free === -1 ? this.#lanes.length : free;
    this.#lanes[lane] = true;
    return { lane, startedAt: performance.now() };
  }

  /** It has ended; without an outcome if it was cancelled. */
  end({ lane, startedAt }: Span, target: Target, outcome: Outcome | undefined): void {
    this.#lanes[lane] = false;
    const url = redactUrl(target.text);
    const { status, bytes, failure } = outcome ?? {};
    const args = { index: target.index, id: target.request.id, url, attempt: target.attempts, status, bytes };
    const event = {
      name: `${target.request.method ?? "GET"} ${url}`.slice(0, LONGEST_NAME),
      cat: outcome === undefined || failure !== undefined ? "failed" : "ok",
      ph: "X",
      ts: Math.round((startedAt - this.#startedAt) * MICROSECONDS),
      dur: Math.round((performance.now() - startedAt) * MICROSECONDS),
      pid: 1,
      tid: lane + 1,
      args: { ...args, host: target.origin, error: outcome === undefined ? "cancelled" : failure?.code },
    };
    this.#writer.write(`,\n${toSafeJson(event)}`);
  }

  /**
   * Waits while the disk is far behind; null if it is not.
   *
   * Cancellation: safe.
   */
  whenRoom(): Promise<void> | null {
    return this.#writer.whenRoom();
  }

  /**
   * Writes what is handed over, until cancelled.
   *
   * Cancellation: the way to end it; {@link close} writes the rest.
   *
   * @throws {@link CommandError} with exit code 3
   */
  async run(): Promise<void> {
    return this.#writer.run();
  }

  /**
   * Completes the file.
   *
   * Cancellation: held back.
   */
  async close(): Promise<void> {
    if (!this.#writer.isBroken) {
      this.#writer.write("\n]\n");
      await this.#writer.flush();
    }
    fs.closeSync(this.#fd);
  }
}
