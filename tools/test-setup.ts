// Makes a test file fail on process warnings it did not announce and on anything it leaves running.
// Loaded with --import before each test file; a test that causes a warning on purpose imports expectWarning() from here.

import { after } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { isMainThread } from "node:worker_threads";

/** The hooks that end what a file has started, like servers, run meanwhile. */
const LEFTOVER_GRACE_MS = 10_000;

/** The process warnings of one code, seen since {@link expectWarning} was called. */
export interface ExpectedWarnings extends AsyncDisposable {
  readonly seen: ReadonlyArray<Error>;
  /** Waits for the first warning if there was none yet, and returns it. */
  first(): Promise<Error>;
}

interface Expectation {
  readonly code: string;
  readonly seen: Error[];
  readonly arrived: PromiseWithResolvers<Error>;
}

/**
 * Announces that the rest of the block may cause process warnings with this `code`: for tests that try many ways, not all
 * of which warn. Where a warning has to come use {@link expectWarning}.
 */
export function allowWarnings(code: string): AsyncDisposable {
  const expectation = open(code);
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      await turn();
      expectations.delete(expectation);
    },
  };
}

function open(code: string): Expectation {
  const expectation = { code, seen: [], arrived: Promise.withResolvers<Error>() };
  expectations.add(expectation);
  return expectation;
}

const expectations = new Set<Expectation>();

/**
 * Announces that the rest of the block causes process warnings with this `code` (or, where there is no code, this `name`).
 * Leaving the block fails the test if none came. Warnings with any other code fail it all the same.
 *
 * @example
 * ```ts
 * await using warnings = expectWarning("MW_WARN_NEVER_AWAITED");
 * await run(forgetful);
 * assert.match((await warnings.first()).message, /forgetful/);
 * ```
 */
export function expectWarning(code: string): ExpectedWarnings {
  const expectation = open(code);
  return {
    seen: expectation.seen,
    first: () => expectation.arrived.promise,
    async [Symbol.asyncDispose](): Promise<void> {
      await turn(); // process.emitWarning() delivers on the next tick, and the last call may have been just now
      expectations.delete(expectation);
      if (expectation.seen.length === 0) throw new Error(`Expected the process warning ${code}: none came`);
    },
  };
}

function receive(warning: Error & { code?: string }): void {
  const expectation = [...expectations].find(({ code }) => code === warning.code || code === warning.name);
  if (expectation === undefined) throw new Error(`Unexpected process warning: ${warning.message}`, { cause: warning });
  expectation.seen.push(warning);
  expectation.arrived.resolve(warning);
}

function failIfStillRunning(): void {
  // Unref'd: a process with nothing left ends before it fires, so only one that is held open is ever looked at.
  const timer = setTimeout(() => {
    process.stderr.write(`Still running after the last test: ${process.getActiveResourcesInfo().join(", ")}\n`);
    process.exit(1);
  }, LEFTOVER_GRACE_MS);
  timer.unref();
}

if (isMainThread) {
  // Also the listener of Node's own that prints: what was announced is no news, and the rest is thrown.
  process.removeAllListeners("warning");
  process.on("warning", receive);
  if (process.env["NODE_TEST_CONTEXT"] !== undefined) after(failIfStillRunning);
}
