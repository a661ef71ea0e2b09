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
import { runInScope, storedFrame, storeFrame } from "./context.ts";
import { isCoroutine } from "./coroutine.ts";
import { currentScopeNode } from "./current.ts";
import { type FunctionSite, placeOf, sitesOf } from "./frame-sites.ts";
import { allowCleanup, type Grace } from "./grace.ts";
import { addInstrument, instruments } from "./instruments.ts";
import { outsideRunner } from "./runner.ts";
import { Scope, type ScopeMember } from "./scope.ts";
import {
  cancelledIn,
  injectedError,
  newestSuspension,
  rejectLater,
  suspendUninterrupted,
  type Waiter,
  type WaitTarget,
} from "./suspend.ts";
import { TaskNode } from "./task.ts";

// Taken at load time, so that test tools that replace the globals do not reach into the runtime.
const { queueMicrotask, setImmediate } = globalThis;
const nextTick = process.nextTick.bind(process);
// oxlint-disable-next-line typescript/unbound-method -- always called on a promise
const thenOf = Promise.prototype.then as (
  this: Promise<unknown>,
  onValue: (value: unknown) => void,
  onError: (error: unknown) => void,
) => unknown;

/** What ended an await while its frame was held. */
type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: unknown };

/** An await that was interrupted and waits for the children of its frame. */
interface Held {
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

/** Where the cleanup runs that the frame is in; null if it is in none. */
function cleanupOf(frame: Frame): Scope | null {
  return frame.c === 1 || frame.iteration?.isClosing === true ? frame.home : frame.cleanup;
}

/** Whether the frame may wait in its cancelled scope: for cleanup after that, and not for a limit of the cleanup's own. */
function isGraced(frame: Frame): boolean {
  const cleanup = cleanupOf(frame);
  if (cleanup === null || !frame.home.outermostCancelled.contains(cleanup)) return false;
  return allowCleanup(frame, frame.home);
}

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
  if (leaving.length > 0) lookForLeft();
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

// Scopes whose code has ended, and that are cancelled: they are left when nobody runs in them any more.
let leaving: Leave[] = [];
let looksForLeft = false;

class Leave implements WaitTarget {
  readonly root: Scope;
  waiter: Waiter<void> | null = null;

  constructor(root: Scope) {
    this.root = root;
  }

  describe(): string {
    return "what still runs in a cancelled scope";
  }

  get foreign(): boolean {
    return isInhabited(this.root, isForeignWait);
  }
}

function untilLeft(scope: Scope): Promise<void> | null {
  if (!isInhabited(scope)) return null;
  const leave = new Leave(scope);
  leaving.push(leave);
  return suspendUninterrupted<void>((waiter) => {
    leave.waiter = waiter;
  }, leave);
}

/** Whether instrumented code in the scope or below it has not ended: a frame waits, or something that one has begun. */
function isInhabited(root: Scope, counts: (member: ScopeMember) => boolean = isClaimedWait): boolean {
  const ahead: Scope[] = [root];
  for (let scope = ahead.pop(); scope !== undefined; scope = ahead.pop()) {
    for (let member = scope.first; member !== null; member = member.next) {
      if (member instanceof Scope) ahead.push(member);
      else if (counts(member) && root.contains((member.frame as Frame).home)) return true;
    }
  }
  return false;
}

function isForeignWait(member: ScopeMember): boolean {
  return member.frame === member && member.frame.live === 0;
}

function isClaimedWait(member: ScopeMember): boolean {
  return member.frame !== undefined;
}

function lookForLeft(): void {
  if (looksForLeft) return;
  looksForLeft = true;
  queueMicrotask(lookForLeftSoon);
}

function lookForLeftSoon(): void {
  nextTick(tellLeft);
}

function tellLeft(): void {
  looksForLeft = false;
  const [staying, left] = [
    leaving.filter(({ root }) => isInhabited(root)),
    leaving.filter(({ root }) => !isInhabited(root)),
  ];
  leaving = staying;
  for (const { waiter } of left) waiter?.wake();
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

const plain = new WeakSet<object>();

/** Notes a plain function of instrumented code that is given away: it may be a body or a job that returns a promise of anybody. */
export function notePlainFunction(given: object): void {
  plain.add(given);
}

// For what the runtime itself calls: a body or a job may return a promise of anybody. Not shown in stacks: it has no line.
const BODY: FunctionSite = sitesOf({
  id: "",
  functions: [["", 0, 0]],
  waits: [[0, 0, "await", "a promise that is not one of meanwhile"]],
}).functions[0] as FunctionSite;

/** Calls a body or a job, and awaits what it returns, so that it can be interrupted there. No checkpoint by itself. */
async function callInFrame<T>(body: () => T | PromiseLike<T>): Promise<T> {
  const frame = enterFrame(BODY);
  try {
    frame.at = 0;
    const value = await bodyWait(frame, body());
    afterWait(frame);
    return value as T;
  } finally {
    exitFrame(frame);
  }
}

function bodyWait(frame: Frame, value: unknown): unknown {
  const promise = promiseOf(frame, value);
  if (promise === null) return value;
  suspendFrame(frame);
  if (frame.home.effective !== null && !isOurs(value)) return waitRefused(frame, value, promise, undefined);
  return isOurs(value) ? promise : watch(frame, promise);
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

// The synchronous part ends: the caller's goes on.
function suspendFrame(frame: Frame): void {
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

function isOurs(value: unknown): boolean {
  return value instanceof TaskNode || isCoroutine(value);
}

/** The native promise of what is awaited; null for a value that is there. `then` is read once, like await does. */
function promiseOf(frame: Frame, value: unknown): Promise<unknown> | null {
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

// One function for all promises: an executor closure for each would cost memory while the wait lasts.
let resolveOfNewest: (value: unknown) => void;
let rejectOfNewest: (error: unknown) => void;
function takeResolving(resolve: (value: unknown) => void, reject: (error: unknown) => void): void {
  resolveOfNewest = resolve;
  rejectOfNewest = reject;
}

/** Waits so that it can be interrupted. The promise is handed on by native functions alone: V8 follows those for stacks. */
function watch(frame: Frame, promise: Promise<unknown>): Promise<unknown> {
  const watched = new Promise(takeResolving);
  frame.promise = promise;
  frame.resolve = resolveOfNewest;
  thenOf.call(promise, resolveOfNewest, rejectOfNewest);
  frame.home.add(frame);
  return watched;
}

/** The code may not wait, but what it awaits was begun: that comes to its end first. */
function waitRefused(
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
function hold(frame: Frame, { injected, wasRefused = false }: Reason = {}): void {
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

function release(frame: Frame): void {
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
    if (mustWait) waitForUnclaimed(frame, home);
    else deliver(frame, held);
  }
}

// What was begun where the hooks do not reach, by foreign code or deep in ours, may belong to any frame of its scope whose
// own callers are known: all of these wait for it.
function hasUnclaimed(scope: Scope): boolean {
  if (unclaimed.has(scope)) return true;
  for (let member = scope.first; member !== null; member = member.next) {
    // Who waits until the scope can be left waits for those who ask.
    if (member.frame !== undefined || member.target instanceof Leave) continue;
    if (member instanceof Scope ? member.task === scope.task : member.target !== undefined) return true;
  }
  return false;
}

function isClaimed(frame: Frame): boolean {
  let root = frame;
  while (root.parent !== null) root = root.parent;
  return root.unclaimedIn === null;
}

/** How many frames of which the caller is not known run in a scope. */
const unclaimed = new Map<Scope, number>();

function addUnclaimed(frame: Frame, scope: Scope): void {
  frame.unclaimedIn = scope;
  unclaimed.set(scope, (unclaimed.get(scope) ?? 0) + 1);
}

function removeUnclaimed(frame: Frame): void {
  let scope = frame.unclaimedIn as Scope;
  while (scope.closed && scope.parent !== null) scope = scope.parent;
  const left = (unclaimed.get(scope) as number) - 1;
  frame.unclaimedIn = null;
  if (left > 0) unclaimed.set(scope, left);
  else {
    unclaimed.delete(scope);
    unclaimedEnded(scope);
  }
}

// Whoever outlives a scope belongs to the one around.
function handUpUnclaimed(scope: Scope): void {
  const count = unclaimed.get(scope);
  if (count === undefined) return;
  unclaimed.delete(scope);
  const heir = scope.parent as Scope;
  unclaimed.set(heir, (unclaimed.get(heir) ?? 0) + count);
}

const waitingForUnclaimed = new Map<Scope, Frame[]>();

function waitForUnclaimed(frame: Frame, home: Scope): void {
  const waiting = waitingForUnclaimed.get(home);
  if (waiting === undefined) waitingForUnclaimed.set(home, [frame]);
  else waiting.push(frame);
}

function unclaimedEnded(scope: Scope | null): void {
  if (waitingForUnclaimed.size === 0 || scope === null) return;
  const waiting = waitingForUnclaimed.get(scope);
  if (waiting === undefined) return;
  waitingForUnclaimed.delete(scope);
  for (const frame of waiting) release(frame);
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

function leaveWait(frame: Frame): void {
  frame.scope?.remove(frame);
  frame.grace?.leave(frame);
  frame.promise = null;
  frame.resolve = null;
  frame.held = null;
  frame.iteration = null;
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

/** The cleanup at the end of a block with an `await using`, whatever function the resource is disposed of by. */
export interface Disposal extends Disposable {
  /** The resource is disposed of next. */
  begin(): void;
}

/** The disposal of a resource that the frame is about to make. Disposed itself when the hidden await has ended. */
export function disposalOf(frame: Frame): Disposal {
  return frame === OUTSIDE ? NO_DISPOSAL : new FrameDisposal(frame);
}

const NO_DISPOSAL: Disposal = { begin: ignore, [Symbol.dispose]: ignore };

class FrameDisposal implements Disposal {
  readonly #frame: Frame;
  // What is to come back afterwards; null until it has begun, which it never does if the resource cannot be made.
  #before: { readonly c: Frame["c"]; readonly stored: StoredFrame | undefined } | null = null;

  constructor(frame: Frame) {
    this.#frame = frame;
  }

  begin(): void {
    const frame = this.#frame;
    afterWait(frame);
    this.#before = { c: frame.c, stored: storedFrame() };
    frame.c = 1;
    // For a stack of resources: all but its first one are disposed of where nobody calls.
    storeFrame({ frame, cleanup: frame.home, before: this.#before.stored });
  }

  [Symbol.dispose](): void {
    afterWait(this.#frame);
    if (this.#before === null) return;
    this.#frame.c = this.#before.c;
    storeFrame(this.#before.stored);
  }
}

/** @internal What of ours was begun by a frame. */
interface Begun {
  frame?: Frame;
}

function began(begun: Begun, scope: Scope): Frame | null {
  if (current === null || !sees(current, scope)) return null;
  begun.frame = current;
  current.live += 1;
  return current;
}

function ended(begun: Begun, around: Scope | null): void {
  if (begun.frame === undefined) return unclaimedEnded(around);
  // Not null: who has ended is responsible until all that it has begun has ended, too.
  const frame = firstLive(begun.frame) as Frame;
  frame.live -= 1;
  childEnded(frame);
}

// Whose wait the newest one is.
let newestSuspender: Frame | null = null;

/** Starts to note what frames begin. Needed once, before the first frame. */
export function startFrames(): Disposable {
  instruments.untilLeft = untilLeft;
  instruments.callerFor = (given) => (plain.has(given as object) ? callInFrame : null);
  return addInstrument({
    suspended(waiter) {
      newestSuspender = began(waiter as Begun, waiter.scope as Scope);
    },
    resumed: (waiter) => ended(waiter as Begun, waiter.scope),
    // Tasks are waited for by who owns them.
    scopeOpened(scope) {
      if (scope.parent !== null && scope.task === scope.parent.task) began(scope as Begun, scope);
    },
    scopeClosed(scope) {
      ended(scope as Begun, scope.parent);
      if (unclaimed.size > 0) handUpUnclaimed(scope);
      unclaimedEnded(scope);
    },
  });
}
