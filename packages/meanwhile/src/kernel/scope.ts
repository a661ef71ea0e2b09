// The tree of cancel scopes: deadline, shield, reason.
//
//   open ──cancel() or deadline──▶ open, cancelled ──▶ closed
//     └────────────────────────────────────────────────▲
//
// Cancellation is a mark on the scope, set once and never taken back. Everything that waits in the scope or below it,
// down to the next shield, is interrupted when the mark is set; every later checkpoint there looks at the mark.

import { type Bucket, type DeadlineEntry } from "../clock/deadlines.ts";
import { type Cancellation, UsageError } from "../errors.ts";
import { showInstancesAs } from "../util/inspect.ts";
import { show } from "../util/show.ts";
import { cancellationOf } from "./cancellation.ts";
import { makeFrames } from "./context.ts";
import type { Frame } from "./frames.ts";
import { instruments } from "./instruments.ts";
import type { Runner } from "./runner.ts";
import type { WaitTarget } from "./suspend.ts";
import type { TaskNode } from "./task.ts";

/** What a scope keeps a list of: the waits in it and the scopes directly below it. */
export interface ScopeMember {
  /** The scope whose list it is in, or null. Changed by that scope only, like the links. */
  scope: Scope | null;
  /** The member before it in the list. */
  previous: ScopeMember | null;
  /** The member after it in the list. */
  next: ScopeMember | null;
  /** What is waited for, if the member is a wait. */
  readonly target?: WaitTarget | undefined;
  /** @internal The frame that has begun it, if that is known; of a frame, itself. */
  readonly frame?: Frame | undefined;
  /** The scope that holds this member was cancelled, or one around it that it can see. */
  interrupt(cancellation: Cancellation): void;
  /** The scope has ended. A member without this goes to the scope around. */
  scopeEnded?(): void;
}

/** A region of a program that is cancelled as a whole. Given to the body of `cancelScope`. */
export interface CancelScope {
  /**
   * When the scope cancels itself, on the scale of `now()`; `Infinity` for never. May be changed at any time; one that
   * has passed cancels at once.
   */
  deadline: number;
  /** Whether the scope itself was cancelled, by `cancel()` or by its deadline. */
  readonly cancelled: boolean;
  /**
   * Cancels everything in the scope: each wait in it ends with `CancelledError`, and so does each later one.
   * Calling it again changes nothing.
   */
  cancel(reason?: unknown): void;
}

/**
 * One scope of the tree. Also a member of the scope around it.
 *
 * Every task has one, so each field counts: what few scopes need is kept apart (bench/README.md, row `memory`).
 */
export class Scope implements CancelScope, ScopeMember {
  /** The scope around this one. A task's scope hangs below the scope of its owner, not of its creator. */
  parent: Scope | null;
  /** What all scopes of the run share. */
  readonly runner: Runner;
  /**
   * The task whose code runs in this scope; null outside of tasks, and once the scope was left: what was made in it and
   * lives on, a timer or a socket, must not keep the task and its result in memory.
   */
  task: TaskNode | null;
  /** Whether cancellation from outside is held back. */
  readonly shielded: boolean;
  /** Our own cancellation: set once. */
  own: Cancellation | null = null;
  /**
   * What code in here is told. Invariant: the cancellation of the outermost scope that is cancelled and visible from
   * here (no shield between); null exactly if code in here may wait.
   */
  effective: Cancellation | null;

  /** As a member of the scope around. Invariant: this.parent while the scope is open, then null. */
  scope: Scope | null = null;
  /** The member before this one in the scope around. */
  previous: ScopeMember | null = null;
  /** The member after this one in the scope around. */
  next: ScopeMember | null = null;

  /** Our oldest member. */
  first: ScopeMember | null = null;
  /** Our newest member. */
  last: ScopeMember | null = null;

  /** @internal The stores of other AsyncLocalStorages where the scope was entered; see context.ts. */
  outerFrame: unknown = undefined;

  // Null until a deadline is set.
  #timer: ScopeTimer | null = null;

  constructor(parent: Scope | null, runner: Runner, task: TaskNode | null, shielded: boolean) {
    this.parent = parent;
    this.runner = runner;
    this.task = task;
    this.shielded = shielded;
    this.effective = parent === null || shielded ? null : parent.effective;
    parent?.add(this);
    if (instruments.active !== null) instruments.active.scopeOpened(this);
  }

  /** Whether this scope itself was cancelled. */
  get cancelled(): boolean {
    return this.own !== null;
  }

  /** Whether the scope has been left. */
  get closed(): boolean {
    return this.scope === null && this.parent !== null;
  }

  /** When the scope cancels itself; see {@link CancelScope}. */
  get deadline(): number {
    return this.#timer?.at ?? Infinity;
  }

  set deadline(at: number) {
    if (typeof at !== "number" || Number.isNaN(at)) throw badDeadline(at);
    const timer = (this.#timer ??= new ScopeTimer(this));
    timer.at = at;
    if (this.closed || this.own !== null) return;
    const { deadlines } = this.runner;
    if (at !== Infinity && at <= deadlines.clock.now()) this.due();
    else deadlines.add(timer, at);
  }

  /** Makes known when somebody else is going to cancel the scope: `deadline` tells it, and no timer is set. */
  noteDeadline(at: number): void {
    (this.#timer ??= new ScopeTimer(this)).at = at;
  }

  /** Cancels the scope, once; see {@link CancelScope}. */
  cancel(reason?: unknown): void {
    if (this.own !== null || this.closed) return;
    const origin = {};
    // oxlint-disable-next-line typescript/unbound-method -- only named: the stack begins at its caller
    Error.captureStackTrace(origin, this.cancel);
    this.cancelAs({ scope: this, reason, by: "call", origin });
  }

  /** The deadline has come. */
  due(): void {
    const waits = this.runner.describeWaitsIn(this);
    this.cancelAs({ scope: this, reason: "the deadline has passed", by: "deadline", waits, origin: {} });
  }

  /** A scope around this one was cancelled. The outermost cancellation wins, so it replaces one of ours. */
  interrupt(cancellation: Cancellation): void {
    if (!this.shielded) deliver(this, cancellation);
  }

  /** Cancels the scope, which is open and was not cancelled before. */
  cancelAs(cancellation: Cancellation): void {
    this.own = cancellation;
    if (this.#timer !== null) this.runner.deadlines.remove(this.#timer);
    this.runner.watchForStuckTasks(this);
    if (instruments.active !== null) instruments.active.scopeCancelled(this);
    // Already cancelled from outside: everything in here was interrupted then.
    if (this.effective === null) deliver(this, cancellation);
  }

  /** A snapshot of the members, oldest first. */
  members(): ScopeMember[] {
    const members: ScopeMember[] = [];
    for (let member = this.first; member !== null; member = member.next) members.push(member);
    return members;
  }

  /** Appends a member that is in no list. */
  add(member: ScopeMember): void {
    member.scope = this;
    member.previous = this.last;
    if (this.last === null) this.first = member;
    else this.last.next = member;
    this.last = member;
  }

  /** Takes out a member that is in this list. */
  remove(member: ScopeMember): void {
    if (member.previous === null) this.first = member.next;
    else member.previous.next = member.next;
    if (member.next === null) this.last = member.previous;
    else member.next.previous = member.previous;
    member.previous = null;
    member.next = null;
    member.scope = null;
  }

  /** Hangs the scope below another one, whose cancellation it sees from now on. */
  moveTo(parent: Scope): void {
    this.scope?.remove(this);
    this.parent = parent;
    parent.add(this);
    if (parent.effective !== null && !this.shielded) deliver(this, parent.effective);
  }

  /** Leaves the tree. Waits that nobody awaited go to the scope around. */
  close(): void {
    if (this.#timer !== null) this.runner.deadlines.remove(this.#timer);
    if (this.own !== null) this.runner.stopWatching(this);
    if (instruments.active !== null) instruments.active.scopeClosed(this);
    this.scope?.remove(this);
    // A task lets go of its own scope when everybody was told of its end.
    if (this.task !== null && this.task.scope !== this) this.task = null;
    for (const member of this.members()) handUp(this, member);
  }

  /** Whether `other` is this scope or lies below it. */
  contains(other: Scope): boolean {
    for (let scope: Scope | null = other; scope !== null; scope = scope.parent) if (scope === this) return true;
    return false;
  }

  /**
   * Whether `error`, thrown out of this scope, ends here: it is our cancellation, and nobody around us is cancelled.
   * With both cancelled the outermost wins, so the error goes on.
   */
  absorbs(error: unknown): boolean {
    if (this.own === null || this.cancelledFromOutside) return false;
    const cancellation = cancellationOf(error);
    return cancellation !== null && this.contains(cancellation.scope as Scope);
  }

  /** The scope whose cancellation reaches the code in here. Only while there is one. */
  get outermostCancelled(): Scope {
    return (this.effective as Cancellation).scope as Scope;
  }

  /** Whether a cancellation around this scope reaches into it. */
  get cancelledFromOutside(): boolean {
    return !this.shielded && this.parent !== null && this.parent.effective !== null;
  }
}

// Functions and not private methods: V8 keeps a word in each instance of a class that has those.

// Not recursive: scopes may be nested deeper than the stack is.
function deliver(from: Scope, cancellation: Cancellation): void {
  const reached: Scope[] = [from];
  // Marked everywhere before anybody is told: an abort function, and whom it wakes, must find the mark.
  for (const scope of reached) {
    scope.effective = cancellation;
    for (let member = scope.first; member !== null; member = member.next) {
      if (member instanceof Scope && !member.shielded) reached.push(member);
    }
  }
  for (const scope of reached) tellMembers(scope, cancellation);
}

function tellMembers(scope: Scope, cancellation: Cancellation): void {
  for (const member of scope.members()) {
    if (member instanceof Scope) continue;
    // An abort function may have ended this wait meanwhile.
    if (member.scope === scope) member.interrupt(cancellation);
  }
}

function handUp(from: Scope, member: ScopeMember): void {
  from.remove(member);
  if (member.scopeEnded !== undefined) {
    member.scopeEnded();
    return;
  }
  const heir = from.parent as Scope; // the only scope without one is never closed
  if (member instanceof Scope) member.parent = heir;
  heir.add(member);
  if (heir.effective !== null && heir.effective !== from.effective) member.interrupt(heir.effective);
}

// The deadline of a scope, for the clock. Invariant: in no bucket once the scope is cancelled or closed, so due() comes to
// neither.
class ScopeTimer implements DeadlineEntry {
  bucket: Bucket | null = null;
  slot = 0;
  at = Infinity;
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  due(): void {
    this.#scope.due();
  }
}

function badDeadline(at: unknown): UsageError {
  return new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot set the deadline of a scope to ${show(at)}; pass a time on the scale of now(), or Infinity`,
  );
}

makeFrames(Scope.prototype);

showInstancesAs(Scope.prototype, (scope) => {
  const whose = scope.task === null ? scope.runner.name : `task ${scope.task.id} "${scope.task.name}"`;
  const marks = [
    scope.closed ? " (left)" : "",
    scope.effective === null ? "" : " (cancelled)",
    scope.shielded ? " (shielded)" : "",
  ];
  return `Scope of ${whose}${marks.join("")}`;
});
