// The await of a frame: how it is interrupted, what it waits for then, and how it ends.

import { runInScope } from "./context.ts";
import type { Frame, Iteration } from "./frames.ts";
import { type Grace, isGraced } from "./grace.ts";
import type { Scope } from "./scope.ts";
import { cancelledIn, rejectLater } from "./suspend.ts";
import { hasUnclaimed, isClaimed, whenUnclaimedEnded } from "./unclaimed.ts";

// Taken at load time, so that test tools that replace the globals do not reach into the runtime.
const { queueMicrotask, setImmediate } = globalThis;
const nextTick = process.nextTick.bind(process);
/** The one that stands on `Promise.prototype` when this loads. */
// oxlint-disable-next-line typescript/unbound-method -- always called on a promise
export const thenOf = Promise.prototype.then as (
  this: Promise<unknown>,
  onValue: (value: unknown) => void,
  onError: (error: unknown) => void,
) => unknown;

/** What ended an await while its frame was held. */
type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: unknown };

/** An await that was interrupted and waits for the children of its frame. */
export interface Held {
  /** How the await ended, if it did. */
  outcome: Outcome | null;
  /** What is thrown instead of the cancellation: a test's error. */
  readonly injected: Error | undefined;
  /** Whether the outcome is dropped: the scope was cancelled before, and nothing of ours was begun for the await. */
  readonly dropsOutcome: boolean;
  readonly resolve: (value: unknown) => void;
  /** Whether the await has been ended; the code has not resumed yet. */
  isDelivered: boolean;
}

// One function for all promises: an executor closure for each would cost memory while the wait lasts.
let resolveOfNewest: (value: unknown) => void;
let rejectOfNewest: (error: unknown) => void;
function takeResolving(resolve: (value: unknown) => void, reject: (error: unknown) => void): void {
  resolveOfNewest = resolve;
  rejectOfNewest = reject;
}

/** Waits so that it can be interrupted. The promise is handed on by native functions alone: V8 follows those for stacks. */
export function watch(frame: Frame, promise: Promise<unknown>): Promise<unknown> {
  const watched = new Promise(takeResolving);
  frame.promise = promise;
  frame.resolve = resolveOfNewest;
  thenOf.call(promise, resolveOfNewest, rejectOfNewest);
  frame.home.add(frame);
  return watched;
}

/** The code may not wait, but what it awaits was begun: that comes to its end first. */
export function waitRefused(
  frame: Frame,
  value: unknown,
  promise: Promise<unknown> | null,
  injected: Error | undefined,
): unknown {
  if (injected === undefined && isGraced(frame)) {
    if (promise !== null) return watch(frame, promise);
    (frame.grace as Grace).leave(frame);
    return value;
  }
  const watched = watch(frame, promise ?? Promise.resolve(value));
  hold(frame, { injected, wasRefused: true });
  return watched;
}

interface Reason {
  readonly injected?: Error | undefined;
  /** Whether the frame was not to wait in the first place. */
  readonly wasRefused?: boolean;
}

/** From here on the await ends when all that the frame has begun has ended. */
export function hold(frame: Frame, { injected, wasRefused = false }: Reason = {}): void {
  // The handlers that `watch` gave to the promise have no effect any more.
  (frame.resolve as (value: unknown) => void)(new Promise(takeResolving));
  const held: Held = {
    outcome: null,
    injected,
    dropsOutcome: wasRefused && frame.live === 0,
    resolve: resolveOfNewest,
    isDelivered: false,
  };
  frame.held = held;
  thenOf.call(
    frame.promise as Promise<unknown>,
    (value) => {
      held.outcome = { kind: "value", value };
    },
    (error) => {
      held.outcome = { kind: "error", error };
    },
  );
  if (frame.live > 0) return;
  if (wasRefused) refuseLater(frame);
  else release(frame);
}

// Those whose children have ended. They resume together, in the order they started, when no microtask is left.
let released: Frame[] = [];

/** All that the frame has begun has ended: its await ends. */
export function release(frame: Frame): void {
  if (released.push(frame) === 1) queueMicrotask(releaseSoon);
}

function releaseSoon(): void {
  nextTick(releaseAll);
}

function releaseAll(): void {
  const frames = released;
  released = [];
  deliverAll(frames);
}

// Those that were not to wait at all. They get a turn of the event loop: a loop around such a wait must not starve it.
let refused: Frame[] = [];

function refuseLater(frame: Frame): void {
  if (refused.push(frame) === 1) setImmediate(refuseAll);
}

function refuseAll(): void {
  const frames = refused;
  refused = [];
  deliverAll(frames);
}

function deliverAll(frames: Frame[]): void {
  const looked = new Map<Scope, boolean>();
  for (const frame of frames.toSorted((a, b) => a.age - b.age)) {
    const { held, home } = frame;
    // It may have resumed with the value that was on its way, or begun something again.
    if (held === null || held.isDelivered || frame.live > 0) continue;
    let mustWait = isClaimed(frame) ? looked.get(home) : false;
    if (mustWait === undefined) looked.set(home, (mustWait = hasUnclaimed(home)));
    if (mustWait) whenUnclaimedEnded(home, () => release(frame));
    else deliver(frame, held);
  }
}

function deliver(frame: Frame, held: Held): void {
  const { outcome, injected, dropsOutcome, resolve } = held;
  const { home, iteration } = frame;
  held.isDelivered = true;
  if (injected !== undefined || outcome === null || dropsOutcome) {
    if (iteration !== null && !iteration.isClosing) runInScope(home, abandon, iteration);
    resolve(rejectLater(() => injected ?? cancelledIn(home)));
  } else if (outcome.kind === "value") resolve(outcome.value);
  else resolve(rejectLater(() => outcome.error));
}

function abandon(iteration: Iteration): void {
  iteration.abandon();
}

/** The frame does not wait any more, however the await has ended. */
export function leaveWait(frame: Frame): void {
  frame.scope?.remove(frame);
  frame.grace?.leave(frame);
  frame.promise = null;
  frame.resolve = null;
  frame.held = null;
  frame.iteration = null;
}
