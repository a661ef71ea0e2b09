// Where tasks wait: what for, and through which calls. The calls are known of instrumented code only.

import type { WaitSite } from "./frame-sites.ts";
import type { Frame } from "./frames.ts";
import { Scope, type ScopeMember } from "./scope.ts";
import type { Waiter } from "./suspend.ts";
import type { TaskNode } from "./task.ts";

/** A function that is suspended at an `await`. */
export interface SuspendedCall {
  /** Its name. */
  readonly function: string;
  /** The file it stands in. */
  readonly file: string;
  /** Line of the await, from 1. */
  readonly line: number;
  /** Column of the await, from 1. */
  readonly column: number;
}

/** One thing that a task waits for. */
export interface AwaitStack {
  /** What is waited for. */
  readonly waitsFor: string;
  /** The functions that wait for it, innermost first; none where the code is not instrumented. */
  readonly calls: readonly SuspendedCall[];
}

/** What the code of one task waits for, its children's waits not included. */
export function awaitStacksOf(task: TaskNode): AwaitStack[] {
  return waitMembersOf(task).map(stackOf);
}

/** The same as they are in their scopes: waiters, and frames that wait for something foreign. */
export function waitMembersOf(task: TaskNode): ScopeMember[] {
  const found: ScopeMember[] = [];
  const scopes = [task.scope];
  for (const scope of scopes) {
    for (let member = scope.first; member !== null; member = member.next) {
      if (member instanceof Scope) {
        if (member.task === task) scopes.push(member);
      } else if (isWait(member)) found.push(member);
    }
  }
  return found;
}

/** Where running code is, as far as its frames tell. */
export function runningStackOf(frame: Frame | null): AwaitStack[] {
  return frame === null ? [] : [{ waitsFor: "", calls: callsFrom(frame) }];
}

/** Whether a member waits itself: a frame that has begun something waits for that, which speaks for itself. */
function isWait({ target, frame }: ScopeMember): boolean {
  return target !== undefined || (frame !== undefined && frame.live === 0);
}

function stackOf(member: ScopeMember): AwaitStack {
  const { target, frame } = member;
  const waitsFor = target === undefined ? textOfWait(frame as Frame) : target.describe(member as Waiter<never>);
  return { waitsFor, calls: callsFrom(frame) };
}

/** The source of what a frame awaits. */
export function textOfWait({ site, at }: Frame): string {
  return (site.file.waits[at] as WaitSite).text;
}

/** The functions that wait, from the innermost one on. */
export function callsFrom(innermost: Frame | undefined): SuspendedCall[] {
  const calls: SuspendedCall[] = [];
  for (let frame = innermost ?? null; frame !== null; frame = frame.parent) {
    // One that has returned: what it began belongs to its caller. And those of the runtime itself, which have no line.
    if (frame.ended || frame.site.line === 0) continue;
    const { line, column } = frame.site.file.waits[frame.at] ?? frame.site;
    calls.push({ function: frame.site.name, file: frame.site.file.id, line, column });
  }
  return calls;
}

/** A suspended call for people: `load (app.ts:12:5)`. */
export function showCall({ function: name, file, line, column }: SuspendedCall): string {
  return `${name} (${file}:${line}:${column})`;
}

/** What is waited for, with the innermost function that does. */
export function showWait({ waitsFor, calls: [innermost] }: AwaitStack): string {
  return innermost === undefined ? waitsFor : `${waitsFor} in ${showCall(innermost)}`;
}

/** The lines of a stack below its first function, like those of an error. */
export function callLines({ calls }: AwaitStack, indent: string): string[] {
  return calls.slice(1).map((call) => `${indent}at ${showCall(call)}`);
}

const MOST_NAMED = 3;

/**
 * What is waited for in a scope, the tasks below included, in a few words; "" if that is not known. For errors that end
 * these waits: called before they are told.
 */
export function describeWaitsIn(root: Scope): string {
  const found: string[] = [];
  let count = 0;
  const ahead: Scope[] = [root];
  for (let scope = ahead.pop(); scope !== undefined; scope = ahead.pop()) {
    for (let member = scope.last; member !== null; member = member.previous) {
      if (member instanceof Scope) ahead.push(member);
      else if (isWait(member) && !joinsInside(member, root) && ++count <= MOST_NAMED)
        found.push(nameWait(member, root));
    }
  }
  const more = count > found.length ? ` and ${count - found.length} more` : "";
  return found.length === 0 ? "" : `${found.join(" and ")}${more}`;
}

/** Whether a wait is for tasks inside: then it is for what these wait for. */
function joinsInside({ target }: ScopeMember, root: Scope): boolean {
  for (const task of target?.holders?.() ?? []) if (root.contains((task as TaskNode).scope)) return true;
  return false;
}

function nameWait(member: ScopeMember, root: Scope): string {
  const { task } = member.scope as Scope;
  const text = showWait(stackOf(member));
  return task === null || task === root.task ? text : `${text} in task "${task.name}"`;
}
