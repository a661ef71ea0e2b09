// Frames: the activations of instrumented async functions, as a tree. Through them a cancellation reaches every await,
// leaves first. The code that calls this is written by @meanwhile/instrument; without it nothing here runs.
//
//   running ──await──▶ waiting ──it has settled──▶ running … ──▶ ended
//                         └──interrupt──▶ held ──its children have ended──▶ running
//
// A wait on something foreign makes the frame a member of its scope. A cancellation holds the frame: from then on its
// await ends when all that it has begun (frames, scopes, waits of ours) has ended and the microtasks are drained. By
// then the await may have settled: its outcome stands. Otherwise it ends in the cancellation. So every combinator over
// the promises of other frames comes out right, and nobody resumes before the cleanup of what he waits for.
//
// Which frame calls is a variable, trusted only if it belongs to the scope the code runs in: a lost hook gives a wrong
// parent inside of a task, never a wrong task.

import { showInstancesAs } from "../util/inspect.ts";
import { storedFrame, storeFrame } from "./context.ts";
import { isCoroutine } from "./coroutine.ts";
import { currentScopeNode } from "./current.ts";
import { type FunctionSite, placeOf } from "./frame-sites.ts";
import { type Held, hold, leaveWait, release, thenOf, waitRefused, watch } from "./frame-wait.ts";
import { type Grace, isGraced } from "./grace.ts";
import { lookForLeft } from "./leave-scope.ts";
import { outsideRunner } from "./runner.ts";
import type { Scope, ScopeMember } from "./scope.ts";
import { injectedError, newestSuspension } from "./suspend.ts";
import { TaskNode } from "./task.ts";
import { addUnclaimed, removeUnclaimed, unclaimedEnded } from "./unclaimed.ts";

/** A `for await` that waits. */
export interface Iteration {
  /** Whether it waits for the iterator to be closed. */
  readonly isClosing: boolean;
  /** Tells the iterator that nobody will ask again: the wait is given up. */
  abandon(): void;
}

/** A frame that has given functions away. */
export interface StoredFrame {
  readonly frame: Frame;
  /** Where the cleanup runs that it was in, if it was: what it gave away belongs to that. */
  readonly cleanup: Scope | null;
  /** What was stored before. */
  readonly before: StoredFrame | undefined;
}

let newestAge = 0;

/** One activation of an instrumented async function. */
export class Frame implements ScopeMember, Disposable {
  /** The scope it waits in; null while it does not wait for something foreign. */
  scope: Scope | null = null;
  /** The member before it in the scope. */
  previous: ScopeMember | null = null;
  /** The member after it in the scope. */
  next: ScopeMember | null = null;
  /** How many frames are older. */
  readonly age: number = ++newestAge;
  /** Which function it is an activation of. */
  readonly site: FunctionSite;
  /** The scope its code runs in. */
  home: Scope;
  /** The frame that called it; may have ended. */
  parent: Frame | null;
  /** How many of its child frames, and of the scopes and waits that it has begun, have not ended. */
  live = 0;
  /** Where it waits or waited last: an index into the waits of its file; -1 before the first one. */
  at = -1;
  /** How many waits it has begun. */
  waits = 0;
  /** 1 while its code is in a `catch`, a `finally` or a disposer. Written by the code itself. */
  c: 0 | 1 = 0;
  /** Where the cleanup runs that has called it; null if it was called from no cleanup. */
  readonly cleanup: Scope | null;
  /** Whether the function has returned or thrown. */
  ended = false;
  /** @internal The frame whose synchronous code it interrupts; it runs again when this one waits. */
  outer: Frame | null;
  /** @internal What it awaits, while it can be interrupted there. */
  promise: Promise<unknown> | null = null;
  /** @internal Ends the await. */
  resolve: ((value: unknown) => void) | null = null;
  /** @internal */
  held: Held | null = null;
  /** @internal What lets its cleanup go on for a while. */
  grace: Grace | null = null;
  /** @internal Whether it is stored in the context of the running code, and what was there before. */
  stored: StoredFrame | null = null;
  /** @internal The loop that waits for its iterator, while it does. */
  iteration: Iteration | null = null;
  /** @internal Of a generator in a `yield*`: the frame that has asked last. */
  asker: Frame | null = null;
  /** @internal Whether it is a generator that waits at a `yield`: then it has no parent. */
  isPaused = false;
  /** @internal The scope in which it began where others waited, one of which may have called it: that is not known. */
  unclaimedIn: Scope | null = null;

  constructor(site: FunctionSite, home: Scope, parent: Frame | null, outer: Frame | null, cleanup: Scope | null) {
    this.site = site;
    this.home = home;
    this.parent = parent;
    this.outer = outer;
    this.cleanup = cleanup;
    if (parent !== null) parent.live += 1;
    else if (home.first !== null) addUnclaimed(this, home);
  }

  /** Itself. */
  get frame(): this {
    return this;
  }

  /** The scope was cancelled. */
  interrupt(): void {
    if (this.held !== null) return;
    leaveClosedScopes(this);
    if (isGraced(this)) return;
    hold(this);
  }

  /** The function has ended, where it says so by `using`. */
  [Symbol.dispose](): void {
    exitFrame(this);
  }
}

showInstancesAs(
  Frame.prototype,
  (frame) => `Frame of ${frame.site.name} (${placeOf(frame.site)})${frame.ended ? " (ended)" : ""}`,
);

/** For code that runs outside of any scope: nothing there can be cancelled, and nothing is kept of it. */
export const OUTSIDE: Frame = new Frame(
  { file: { id: "", functions: [], waits: [] }, name: "", line: 0, column: 0 },
  outsideRunner.root,
  null,
  null,
  null,
);

// The frame whose synchronous code is running, if nothing was missed.
let current: Frame | null = null;

/** The frame of the running code; null if it has none. */
export function currentFrame(): Frame | null {
  return current !== null && sees(current, currentScopeNode()) ? current : null;
}

/** Whether code in the scope can have been called by the frame: it is the frame's scope, or one opened below it by the same task. */
function sees(frame: Frame, scope: Scope): boolean {
  if (frame.home === scope) return true;
  leaveClosedScopes(frame);
  const { home } = frame;
  if (home === scope) return true;
  for (let around = scope.parent; around !== null && scope.task === home.task; around = around.parent) {
    if (around === home) return true;
  }
  return false;
}

// Code can outlive its scope: it then belongs to the scope around it.
function leaveClosedScopes(frame: Frame): void {
  while (frame.home.closed && frame.home.parent !== null) frame.home = frame.home.parent;
}

// Who is responsible: the nearest that runs, or, where all have ended, the outermost one as long as its orphans run.
function firstLive(frame: Frame | null): Frame | null {
  while (frame !== null && frame.ended && frame.unclaimedIn === null) frame = frame.parent;
  return frame;
}

let newestEntered: FunctionSite | null = null;
let newestLeft: FunctionSite | null = null;

/** The function that was entered last, anywhere. */
export function newestEnteredFunction(): FunctionSite | null {
  return newestEntered;
}

/**
 * The function whose synchronous part ended last, by a wait or for good: right after a call, the one that was called.
 * Outside of runs nobody notes that.
 */
export function newestLeftFunction(): FunctionSite | null {
  return newestLeft;
}

/** Begins an activation. `around` is the frame of the function that lies around it in the source. */
export function enterFrame(site: FunctionSite, around?: Frame): Frame {
  newestEntered = site;
  const scope = currentScopeNode();
  if (scope === outsideRunner.root) return OUTSIDE;
  const outer = current;
  if (outer !== null && sees(outer, scope)) {
    // The function was called, not given away: what it goes on to do is its own.
    unstore(outer);
    return (current = new Frame(site, scope, outer, outer, callingCleanup(outer)));
  }
  const parent = parentFromAfar(scope, around);
  return (current = new Frame(site, scope, parent, outer, cleanupOfCaller(parent, around)));
}

function callingCleanup(frame: Frame): Scope | null {
  return frame.c === 1 ? frame.home : frame.cleanup;
}

function cleanupOfCaller(parent: Frame | null, around: Frame | undefined): Scope | null {
  if (parent === null) return null;
  if (parent === around) return callingCleanup(around);
  const stored = storedFrame();
  return stored?.frame === parent ? stored.cleanup : null;
}

// Called later, by something foreign: whoever gave the function away stored his frame, or lies around it in the source.
function parentFromAfar(scope: Scope, around: Frame | undefined): Frame | null {
  const stored = seenFrom(scope, storedFrame()?.frame);
  const lexical = seenFrom(scope, around);
  if (stored === null || lexical === null) return stored ?? lexical;
  for (let frame: Frame | null = stored; frame !== null; frame = frame.parent) if (frame === lexical) return stored;
  return lexical;
}

function seenFrom(scope: Scope, given: Frame | undefined): Frame | null {
  const frame = firstLive(given ?? null);
  return frame !== null && frame !== OUTSIDE && sees(frame, scope) ? frame : null;
}

/** Ends an activation. Frames that outlive it belong to the one that called it from now on. */
export function exitFrame(frame: Frame): void {
  if (frame === OUTSIDE || frame.ended) return;
  newestLeft = frame.site;
  // Closed at a `yield`, where it has no cleanup to run.
  if (frame.isPaused) resumeGenerator(frame);
  leaveWait(frame);
  unstore(frame);
  if (current === frame) current = frame.outer;
  frame.outer = null;
  frame.ended = true;
  lookForLeft();
  const parent = firstLive(frame.parent);
  // What it has begun finds its new parent through it. Not through all that ended before it: that would be a leak.
  frame.parent = parent;
  if (parent === null) return rootEnded(frame);
  parent.live += frame.live - 1;
  frame.live = 0;
  childEnded(parent);
}

function rootEnded(frame: Frame): void {
  if (frame.live > 0) {
    leaveClosedScopes(frame);
    if (frame.unclaimedIn === null) addUnclaimed(frame, frame.home);
  } else if (frame.unclaimedIn !== null) removeUnclaimed(frame);
}

function childEnded(frame: Frame): void {
  if (frame.live > 0) return;
  if (frame.ended) removeUnclaimed(frame);
  else if (frame.held !== null) release(frame);
}

/** Before an await: returns what is awaited instead of `value`. */
export function beforeWait(frame: Frame, at: number, value: unknown): unknown {
  if (frame === OUTSIDE) return value;
  frame.at = at;
  const promise = promiseOf(frame, value);
  suspendFrame(frame);
  // What is ours cancels itself, and has just looked at the mark. If more than it was begun, all that has to end first.
  const isAlone = frame.live === 1;
  if (isAlone && promise !== null && promise === newestSuspension && newestSuspender === frame) return value;
  const { home } = frame;
  const injected = injectedError(home);
  if (injected !== undefined || home.effective !== null) return waitRefused(frame, value, promise, injected);
  if (promise === null) return value;
  return isAlone && isOurs(value) ? promise : watch(frame, promise);
}

const own = new WeakSet<object>();

/** Notes functions that are instrumented: the promise of a call of one is that of its frame. */
export function ownFunctions(...functions: readonly object[]): void {
  for (const one of functions) own.add(one);
}

/**
 * Before the await of a call: as {@link beforeWait}. The promise of an instrumented function ends when its frame does,
 * which is interrupted itself: who waits for nothing else need not be.
 */
export function beforeCallWait(frame: Frame, at: number, called: unknown, value: unknown): unknown {
  const isItsCall =
    frame.live < 2 &&
    typeof called === "function" &&
    frame.home.effective === null &&
    own.has(called) &&
    frame !== OUTSIDE;
  if (!isItsCall || !(value instanceof Promise)) return beforeWait(frame, at, value);
  frame.at = at;
  suspendFrame(frame);
  const injected = injectedError(frame.home);
  return injected === undefined && frame.home.effective === null ? value : waitRefused(frame, value, value, injected);
}

/** The synchronous part ends: the caller's goes on. */
export function suspendFrame(frame: Frame): void {
  frame.waits += 1;
  newestLeft = frame.site;
  unstore(frame);
  current = frame.outer;
  frame.outer = null;
  leaveClosedScopes(frame);
}

function unstore(frame: Frame): void {
  if (frame.stored === null) return;
  storeFrame(frame.stored.before);
  frame.stored = null;
}

/** Whether it is a wait of meanwhile: it looks for cancellation itself. */
export function isOurs(value: unknown): boolean {
  return value instanceof TaskNode || isCoroutine(value);
}

/** The native promise of what is awaited; null for a value that is there. Await reads a `then` that is no function again. */
export function promiseOf(frame: Frame, value: unknown): Promise<unknown> | null {
  if (value instanceof Promise && value.constructor === Promise) return value;
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return null;
  const { then: method } = value as { then?: unknown };
  if (typeof method !== "function") return null;
  // Started at once: its wait, or its own first frame, begins as a child of this one.
  if (isOurs(value)) return new Promise((resolve, reject) => void method.call(value, resolve, reject));
  return Promise.resolve({
    then(resolve: unknown, reject: unknown) {
      current = frame;
      try {
        method.call(value, resolve, reject);
      } finally {
        current = null;
      }
    },
  });
}

/** After an await, also one that has thrown. */
export function afterWait(frame: Frame): void {
  if (frame === OUTSIDE) return;
  if (frame.isPaused) resumeGenerator(frame);
  if (frame.promise !== null) leaveWait(frame);
  if (current !== frame) {
    frame.outer = null;
    current = frame;
  }
}

/** Before a `yield`: the frame leaves the tree until somebody asks for the next value. */
export function beforeYield(frame: Frame, at: number, value: unknown): unknown {
  if (frame === OUTSIDE) return value;
  // A promise is awaited before it is yielded.
  const awaited = beforeWait(frame, at, value);
  if (awaited instanceof Promise) {
    thenOf.call(awaited, () => pause(frame), ignore);
  } else pause(frame);
  return awaited;
}

/** Before a `yield*`, whose waits are those of who asks. */
export function pauseForDelegation(frame: Frame, at: number): void {
  if (frame === OUTSIDE) return;
  frame.at = at;
  suspendFrame(frame);
  pause(frame);
}

function ignore(): void {}

function pause(frame: Frame): void {
  leaveWait(frame);
  frame.isPaused = true;
  if (frame.unclaimedIn !== null) removeUnclaimed(frame);
  const parent = firstLive(frame.parent);
  frame.parent = null;
  if (parent === null) return;
  parent.live -= 1;
  childEnded(parent);
}

// It runs where whoever asked for the next value runs.
function resumeGenerator(frame: Frame): void {
  const scope = currentScopeNode();
  frame.isPaused = false;
  frame.home = scope;
  frame.outer = current;
  frame.parent = current !== null && sees(current, scope) ? current : parentFromAfar(scope, frame.asker ?? undefined);
  frame.asker = null;
  if (frame.parent !== null) frame.parent.live += 1;
  else if (scope.first !== null) addUnclaimed(frame, scope);
  current = frame;
}

/** A function is given away, to be called who knows when: what it begins belongs to this frame, if that is running. */
export function storeForCallbacks(frame: Frame, argument: unknown): void {
  if (typeof argument !== "function" || current !== frame || frame.stored !== null) return;
  frame.stored = { frame, cleanup: callingCleanup(frame), before: storedFrame() };
  storeFrame(frame.stored);
}

/** A function that is called later: what it begins then belongs to the frame that runs now, or to who is responsible for it. */
export function asCaller<T>(go: () => T): () => T {
  const running = currentFrame();
  if (running === null) return go;
  return () => {
    const caller = firstLive(running);
    if (caller === null) return go();
    const before = current;
    current = caller;
    try {
      return go();
    } finally {
      current = before;
    }
  };
}

/** @internal What of ours was begun by a frame. */
export interface Begun {
  frame?: Frame;
}

/** Something of ours begins in the scope: returns the frame that has begun it, if one has. */
export function began(begun: Begun, scope: Scope): Frame | null {
  if (current === null || !sees(current, scope)) return null;
  begun.frame = current;
  current.live += 1;
  return current;
}

/** It has ended. `around` is the scope that it was in. */
export function ended(begun: Begun, around: Scope | null): void {
  if (begun.frame === undefined) return unclaimedEnded(around);
  // Not null: who has ended is responsible until all that it has begun has ended, too.
  const frame = firstLive(begun.frame) as Frame;
  frame.live -= 1;
  childEnded(frame);
}

// Whose wait the newest one is.
let newestSuspender: Frame | null = null;

/** As {@link began}, for a wait. */
export function suspensionBegan(begun: Begun, scope: Scope): void {
  newestSuspender = began(begun, scope);
}
