// Loads the programs of these tests, as they are and instrumented, and runs them.

import assert from "node:assert/strict";
import { inspect } from "node:util";

import { cancelScope, run } from "meanwhile";
import { currentFrame, currentScopeNode, type Frame, type FunctionSite } from "meanwhile/lowlevel";
import { runTest, type RunTestOptions } from "meanwhile/testing";

import type { Log } from "./programs/foreign.ts";

process.env["MEANWHILE_INSTRUMENT_CACHE"] = "off";
// Coverage of what is instrumented is that of the files only with maps.
if (process.env["NODE_V8_COVERAGE"] !== undefined) process.setSourceMapsEnabled(true);

/** A program: logs what it does. */
export type Program = (log: Log) => unknown;

/** The modules under test. To be called once in a test file: what is loaded afterwards is instrumented. */
export async function load<Module>(name: string): Promise<{ readonly plain: Module; readonly instrumented: Module }> {
  const url = new URL(`./programs/${name}.ts`, import.meta.url).href;
  const plain = (await import(`${url}?plain`)) as Module;
  await import("../../src/register.ts");
  await recordFrames();
  return { plain, instrumented: (await import(url)) as Module };
}

let frames: Frame[] = [];

async function recordFrames(): Promise<void> {
  const { runtime } = (await import("../../src/runtime.ts")) as {
    runtime: { e: (site: FunctionSite, around?: Frame) => Frame };
  };
  const enter = runtime.e;
  runtime.e = (site, around) => {
    const frame = enter(site, around);
    frames.push(frame);
    return frame;
  };
}

/** Every frame of the newest program must have ended, and let go of all it had. */
export function checkFrames(): void {
  for (const frame of frames) {
    const { site, ended, live, scope, held, grace, stored, iteration } = frame;
    const kept = [scope, held, grace, stored, iteration].filter((each) => each !== null).length;
    assert.deepEqual({ ended, live, kept }, { ended: true, live: 0, kept: 0 }, `the frame of ${site.name}`);
  }
  assert.equal(currentFrame(), null);
  frames = [];
}

/** How a program is run. */
export interface Settings extends RunTestOptions {
  /** How long its cleanup has. */
  readonly graceMs?: number;
  /** On the system's clock, not on that of a test. */
  readonly isRealTime?: boolean;
}

/** Runs a program as a test of its own, and returns its log. At the end nothing may be left. */
export async function logOf(
  program: Program,
  { graceMs = 5_000, isRealTime = false, timeoutMs = 5_000, ...options }: Settings = {},
): Promise<string[]> {
  const lines: string[] = [];
  frames = [];
  const test = async (): Promise<void> => {
    const scope = currentScopeNode();
    try {
      await run(async () => program((line) => lines.push(line)), { graceMs });
      lines.push("returns");
    } catch (error) {
      lines.push(`throws ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
    }
    // That of the test itself still waits.
    const left = scope.members().filter(({ frame }) => frame?.site.line !== 0);
    assert.deepEqual(
      left.map((member) => inspect(member)),
      [],
    );
  };
  await (isRealTime ? test() : runTest(test, { ...options, timeoutMs }));
  checkFrames();
  return lines;
}

/** Runs a program in a scope that is cancelled after some turns of the event loop. */
export function logOfCancelled(program: Program, after = 2, options?: Settings): Promise<string[]> {
  return logOf(
    (log) =>
      cancelScope(async (scope) => {
        const next = (left: number): void => {
          if (left > 0) return void setImmediate(next, left - 1);
          log("cancel");
          scope.cancel();
        };
        next(after);
        await program(log);
      }),
    options,
  );
}
