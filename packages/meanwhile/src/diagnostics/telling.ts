// Tells what tasks wait for, as numbers and few texts: see link.ts.

import {
  callsFrom,
  Children,
  type Frame,
  type Scope,
  type ScopeMember,
  type SuspendedCall,
  type Task,
  type TaskNode,
  textOfWait,
  type Waiter,
  type WaitTarget,
  waitMembersOf,
} from "../lowlevel.ts";
import { TOLD_SCOPE_FLAG, TOLD_WAIT_FLAG, type ToWorker } from "./link.ts";
import type { Recorder } from "./recorder.ts";
import { TARGET, TARGET_FLAG } from "./shared-memory.ts";
import { TASKS } from "./target-table.ts";

const { performance } = globalThis;

/** The most places, and the most ways to them, that are numbered. */
const MOST_PLACES = 65_536;

/** How many tasks a wait names that could end it. */
const MOST_HOLDERS = 16;

/** Tells of the tasks of a recorder. */
export class Teller {
  readonly #recorder: Recorder;
  readonly #send: (message: ToWorker) => void;
  // By file, then by line and column.
  readonly #places = new Map<string, Map<number, number>>();
  readonly #calls = new Map<string, number>();
  #placeCount = 0;
  #words: number[] = [];
  #texts: string[] = [];

  /** @param send - tells each place and each stack once, before an answer refers to it */
  constructor(recorder: Recorder, send: (message: ToWorker) => void) {
    this.#recorder = recorder;
    this.#send = send;
  }

  /** Adds a task to what is told next. */
  add(task: TaskNode): void {
    const members = waitMembersOf(task);
    const scopes = openScopes(task, members);
    const words = this.#words;
    words.push(task.id, this.#recorder.stepsOf(task.id), hasDeadline(task, members) ? 1 : 0);
    words.push(scopes.length, members.length);
    for (const scope of scopes) words.push(flagsOf(scope), deadlineOf(scope));
    for (const member of members) this.#addWait(member);
  }

  /** Adds the calls through which a task waits. */
  addFrames(task: TaskNode): void {
    for (const { frame: innermost } of waitMembersOf(task)) {
      for (let frame = innermost ?? null; frame !== null; frame = frame.parent) {
        const [call] = frame.ended || frame.site.line === 0 ? [] : callsFrom(frame);
        if (call !== undefined) this.#words.push(task.id, frame.age, frame.waits, this.#placeOf(call));
      }
    }
  }

  /** What was added since the last call. */
  take(): { readonly words: Float64Array; readonly texts: readonly string[] } {
    const told = { words: Float64Array.from(this.#words), texts: this.#texts };
    this.#words = [];
    this.#texts = [];
    return told;
  }

  #addWait(member: ScopeMember): void {
    const { frame } = member;
    const calls = frame === undefined ? 0 : this.#callsOf(frame);
    if (member.target === undefined) {
      // A frame that waits for something foreign has a stack and no waiter.
      this.#words.push(0, 0, TOLD_WAIT_FLAG.foreign, this.#textIndex(textOfWait(frame as Frame)), calls, 0);
      return;
    }
    const { target } = member;
    const row = this.#recorder.targets.rowOf(target);
    const task = row === TASKS ? (target as TaskNode).id : 0;
    const flags = this.#recorder.memory.targets[row * TARGET.words + TARGET.flags] as number;
    const isKnown = row === TASKS || (flags & TARGET_FLAG.resource) !== 0;
    const text = isKnown ? -1 : this.#textIndex(describe(member as Waiter<never>));
    const holders = isKnown || (flags & TARGET_FLAG.joins) !== 0 ? [] : holdersOf(member as Waiter<never>);
    this.#words.push(row, task, flagsOfWait(target), text, calls, holders.length, ...holders);
  }

  // Tasks that are told one after another often wait for the same.
  #textIndex(text: string): number {
    if (this.#texts.at(-1) !== text) this.#texts.push(text);
    return this.#texts.length - 1;
  }

  #callsOf(frame: Frame): number {
    const places = callsFrom(frame).map((call) => this.#placeOf(call));
    const key = places.join(" ");
    const known = this.#calls.get(key);
    if (known !== undefined) return known;
    if (this.#calls.size >= MOST_PLACES) return 0;
    const id = this.#calls.size + 1;
    this.#calls.set(key, id);
    this.#send({ kind: "calls", id, places });
    return id;
  }

  #placeOf({ function: name, file, line, column }: SuspendedCall): number {
    const inFile = this.#places.get(file) ?? new Map<number, number>();
    const key = line * 65_536 + column;
    const known = inFile.get(key);
    if (known !== undefined) return known;
    if (this.#placeCount >= MOST_PLACES) return 0;
    const id = (this.#placeCount += 1);
    this.#places.set(file, inFile.set(key, id));
    this.#send({ kind: "place", id, place: JSON.stringify([name, file, line, column]) });
    return id;
  }
}

function flagsOfWait(target: WaitTarget): number {
  const foreign = target.foreign === true ? TOLD_WAIT_FLAG.foreign : 0;
  const remote = target.remote === undefined ? 0 : TOLD_WAIT_FLAG.remote;
  return foreign | remote | (target instanceof Children && target.needsOne ? TOLD_WAIT_FLAG.needsOne : 0);
}

/** What a wait is for, in full. The text is the program's. */
function describe(waiter: Waiter<never>): string {
  try {
    return waiter.target.describe(waiter);
  } catch {
    return "something";
  }
}

/** No more are looked at than are told: there may be as many as there are tasks. */
export function firstIds(tasks: Iterable<Task<unknown>>, most: number): number[] {
  const ids: number[] = [];
  for (const { id } of tasks) {
    ids.push(id);
    if (ids.length === most) break;
  }
  return ids;
}

function holdersOf({ target }: Waiter<never>): number[] {
  try {
    return firstIds(target.holders?.() ?? [], MOST_HOLDERS);
  } catch {
    return [];
  }
}

/** The scopes around its waits that its code has opened and that do something: the outermost first. */
function openScopes(task: TaskNode, members: readonly ScopeMember[]): Scope[] {
  const found = new Set<Scope>();
  for (const { scope: around } of members) {
    for (let scope = around; scope !== null && scope !== task.scope; scope = scope.parent) {
      if (scope.shielded || scope.deadline !== Infinity || scope.own !== null) found.add(scope);
    }
  }
  if (task.scope.deadline !== Infinity) found.add(task.scope);
  return found.size < 2 ? [...found] : [...found].toReversed();
}

function flagsOf({ shielded, own }: Scope): number {
  return (shielded ? TOLD_SCOPE_FLAG.shielded : 0) | (own === null ? 0 : TOLD_SCOPE_FLAG.cancelled);
}

/** In the time of the program: a run may have a clock of its own. */
function deadlineOf({ deadline, runner }: Scope): number {
  return deadline === Infinity ? Infinity : performance.now() + deadline - runner.clock.now();
}

/** Whether something ends the waits of the task in time: a scope around them, or the wait by itself. */
function hasDeadline(task: TaskNode, members: readonly ScopeMember[]): boolean {
  if (members.length === 0) return isBounded(task.scope);
  return (
    members.every(({ scope }) => isBounded(scope ?? task.scope)) ||
    members.some((member) => member.target !== undefined && (member as Waiter<never>).bucket !== null)
  );
}

function isBounded(from: Scope): boolean {
  for (let scope: Scope | null = from; scope !== null; scope = scope.shielded ? null : scope.parent) {
    if (scope.deadline !== Infinity) return true;
  }
  return false;
}
