// Frames of which the caller is not known: begun where the hooks do not reach, by foreign code or deep in ours. They may
// belong to any frame of their scope whose own callers are known, so all of these wait for them.

import type { Frame } from "./frames.ts";
import { Leave } from "./leave-scope.ts";
import { Scope } from "./scope.ts";

/** Whether something runs in the scope that may belong to any of its frames. */
export function hasUnclaimed(scope: Scope): boolean {
  if (unclaimed.has(scope)) return true;
  for (let member = scope.first; member !== null; member = member.next) {
    // Who waits until the scope can be left waits for those who ask.
    if (member.frame !== undefined || member.target instanceof Leave) continue;
    if (member instanceof Scope ? member.task === scope.task : member.target !== undefined) return true;
  }
  return false;
}

/** Whether the callers of the frame are known. */
export function isClaimed(frame: Frame): boolean {
  let root = frame;
  while (root.parent !== null) root = root.parent;
  return root.unclaimedIn === null;
}

/** How many frames of which the caller is not known run in a scope. */
const unclaimed = new Map<Scope, number>();

/** A frame has begun, or has outlived those who called it, in a scope where others wait. */
export function addUnclaimed(frame: Frame, scope: Scope): void {
  frame.unclaimedIn = scope;
  unclaimed.set(scope, (unclaimed.get(scope) ?? 0) + 1);
}

/** Such a frame has ended with all that it has begun. */
export function removeUnclaimed(frame: Frame): void {
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

/** The scope ends: whoever outlives it belongs to the one around. */
export function handUpUnclaimed(scope: Scope): void {
  if (unclaimed.size === 0) return;
  const count = unclaimed.get(scope);
  if (count === undefined) return;
  unclaimed.delete(scope);
  const heir = scope.parent as Scope;
  unclaimed.set(heir, (unclaimed.get(heir) ?? 0) + count);
}

const waiting = new Map<Scope, (() => void)[]>();

/** Calls `tell` when something in the scope has ended that may belong to any of its frames. */
export function whenUnclaimedEnded(scope: Scope, tell: () => void): void {
  const told = waiting.get(scope);
  if (told === undefined) waiting.set(scope, [tell]);
  else told.push(tell);
}

/** Something has ended in the scope of which the caller is not known. */
export function unclaimedEnded(scope: Scope | null): void {
  if (waiting.size === 0 || scope === null) return;
  const told = waiting.get(scope);
  if (told === undefined) return;
  waiting.delete(scope);
  for (const tell of told) tell();
}
