// The thread behind runSync: loads one module and makes the calls it is asked for, one after the other.
//
// While the module is loaded or a call is made, the port does not keep the thread alive. So where nothing is left that could
// bring it to an end the thread ends, and who waits for it is told.

import { workerData } from "node:worker_threads";

import { enterScope, run } from "../lowlevel.ts";
import { now } from "../time/sleep.ts";
import { allowBlocking } from "./blocking.ts";
import { describeNotCloneable } from "./cloneable.ts";
import { encodeError } from "./encode-error.ts";
import { refuseGone } from "./gone-values.ts";
import { mustMove, takeMoved } from "./moved.ts";
import { writeAtOnce } from "./sync-output.ts";
import { ANSWERED, BEGUN, DEAD, sharedNow, type SyncAnswer, type SyncCall, type SyncSetup } from "./sync-wire.ts";

const setup = workerData as SyncSetup;
let nobodyCaught: unknown;

type Loaded = { readonly exports: Readonly<Record<string, unknown>> } | { readonly error: unknown };

async function serve(): Promise<void> {
  allowBlocking();
  writeAtOnce();
  process.on("uncaughtExceptionMonitor", (error) => {
    nobodyCaught = error;
  });
  process.on("exit", (exitCode) => {
    const error = nobodyCaught === undefined ? null : encodeError(nobodyCaught);
    answer(DEAD, { kind: "dead", exitCode, error });
  });
  const loaded = await load();
  setup.port.on("message", (call: SyncCall) => void serveCall(loaded, call));
}

async function load(): Promise<Loaded> {
  try {
    return { exports: (await import(setup.module)) as Record<string, unknown> };
  } catch (error) {
    return { error };
  }
}

async function serveCall(loaded: Loaded, call: SyncCall): Promise<void> {
  setup.port.unref();
  Atomics.store(setup.words, BEGUN, call.number);
  const ending: SyncAnswer =
    "error" in loaded ? { kind: "module", error: encodeError(loaded.error) } : await make(call, loaded.exports);
  answer(call.number, ending);
  setup.port.ref();
}

async function make(
  { name, args, deadline }: SyncCall,
  exports: Readonly<Record<string, unknown>>,
): Promise<SyncAnswer> {
  const called = Object.hasOwn(exports, name) ? exports[name] : undefined;
  if (typeof called !== "function") {
    return { kind: "unknown", names: Object.keys(exports).filter((key) => typeof exports[key] === "function") };
  }
  try {
    const body = (): unknown => called(...args);
    const end = now() + deadline - sharedNow();
    const ending = await run(() => enterScope(body, { deadline: end }), { name, handleSignals: false });
    return ending.kind === "value" ? { kind: "value", value: ending.value } : { kind: "late", waits: ending.waits };
  } catch (error) {
    return { kind: "error", error: encodeError(error) };
  }
}

/** The answer first: whoever waits for the word reads it at once. */
function answer(number: number, ending: SyncAnswer): void {
  post(ending);
  Atomics.store(setup.words, ANSWERED, number);
  Atomics.notify(setup.words, ANSWERED);
}

function post(ending: SyncAnswer): void {
  const value = ending.kind === "value" ? ending.value : undefined;
  const transfer: object[] = takeMoved(value);
  try {
    refuseGone(value);
    setup.port.postMessage(ending, transfer as never);
  } catch {
    postAgain(ending, mustMove(value, new Set(transfer)));
  }
}

function postAgain(ending: SyncAnswer, transfer: object[]): void {
  try {
    refuseGone(ending.kind === "value" ? ending.value : undefined);
    setup.port.postMessage(ending, transfer as never);
  } catch (error) {
    const found = ending.kind === "value" ? describeNotCloneable(ending.value, "the value", transfer) : null;
    const why = error instanceof RangeError ? "is nested too deep to be sent" : `cannot be sent: ${String(error)}`;
    setup.port.postMessage({ kind: "unsendable", what: found ?? `the value ${why}` });
  }
}

// Not awaited: of a module that never ends to load Node would say that it is this line that hangs.
serve().catch((error: unknown) => {
  throw error;
});
