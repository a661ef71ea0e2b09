// Makes a unit test of the core fail that waits for real time: loaded with --import before each test file outside of
// test/slow. What counts is not what is written but what happens: a timer of more than 10 ms that fires. The packages around
// the core have real servers in their tests, and servers take their time.

import { createRequire, syncBuiltinESMExports } from "node:module";

/** Ten, and one more: a clock that rounds up sets its timer to that. */
const LONGEST_MS = 11;
const CORE = /[\\/]packages[\\/]meanwhile[\\/]test[\\/]/;

type Callback = (...args: unknown[]) => void;
type SetTimer = (callback: Callback, ms?: number, ...args: unknown[]) => unknown;
type Timers = Record<"setTimeout" | "setInterval", SetTimer>;
type Wait = (ms?: number, ...args: unknown[]) => Promise<unknown>;

function refuse(call: string, ms: number, origin: Error): void {
  // What others do in their packages is not ours to decide.
  if (origin.stack?.includes("/node_modules/") === true) return;
  throw new Error(
    `A unit test waited for ${ms} ms of real time in ${call}: use runTest or MockClock, or put it into test/slow`,
    { cause: origin },
  );
}

function isHeld(timer: unknown): boolean {
  return timer instanceof Object && "hasRef" in timer && typeof timer.hasRef === "function" && timer.hasRef() === true;
}

function watched(timers: Timers, call: "setTimeout" | "setInterval"): SetTimer {
  const original = timers[call];
  const watching: SetTimer = (callback, ms = 0, ...args) => {
    if (!(ms > LONGEST_MS) || typeof callback !== "function") return original(callback, ms, ...args);
    const origin = new Error(`Set by ${call}`);
    const timer = original(() => {
      callback(...args);
      // Nobody waits for one that does not even hold the process.
      if (isHeld(timer)) refuse(call, ms, origin);
    }, ms);
    return timer;
  };
  // With util.promisify.custom, by which timers become promises.
  return Object.defineProperties(watching, Object.getOwnPropertyDescriptors(original));
}

function watchTimers(): void {
  const require = createRequire(import.meta.url);
  const builtin: Timers = require("node:timers");
  const promises: { setTimeout: Wait } = require("node:timers/promises");
  const wait = promises.setTimeout;
  promises.setTimeout = async (ms = 0, ...args) => {
    const origin = new Error("Called");
    const value = await wait(ms, ...args);
    if (ms > LONGEST_MS) refuse("node:timers/promises", ms, origin);
    return value;
  };
  for (const call of ["setTimeout", "setInterval"] as const) {
    const watching = watched(builtin, call);
    builtin[call] = watching;
    Reflect.set(globalThis, call, watching);
  }
  syncBuiltinESMExports();
}

if (CORE.test(process.argv[1] ?? "")) watchTimers();
