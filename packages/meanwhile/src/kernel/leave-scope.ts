// The end of a cancelled scope: it is left when no instrumented code runs in it any more.

import type { Frame } from "./frames.ts";
import { Scope, type ScopeMember } from "./scope.ts";
import { suspendUninterrupted, type Waiter, type WaitTarget } from "./suspend.ts";

// Taken at load time, so that test tools that replace the globals do not reach into the runtime.
const { queueMicrotask } = globalThis;
const nextTick = process.nextTick.bind(process);

// Scopes whose code has ended, and that are cancelled: they are left when nobody runs in them any more.
let leaving: Leave[] = [];
let looksForLeft = false;

/** A wait until a scope can be left. */
export class Leave implements WaitTarget {
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

/** When all instrumented code in the scope has ended; null if it has. */
export function untilLeft(scope: Scope): Promise<void> | null {
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

/** A frame has ended: perhaps it was the last one in a scope. */
export function lookForLeft(): void {
  if (leaving.length === 0 || looksForLeft) return;
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
