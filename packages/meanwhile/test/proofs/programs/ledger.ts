// What happens in one run of a program, counted by the program itself: what meanwhile says of it is not believed.

import { inspect } from "node:util";

import { cancellationOf, currentScopeNode, type Scope } from "meanwhile/lowlevel";

/** Thrown by programs on purpose. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly number: number;

  constructor(number: number) {
    super(`fault ${number};`);
    this.number = number;
  }
}

const FAULT = /\bfault (\d+);/g;

/** The errors an error was made of, and the error. */
export function errorsIn(error: unknown): Set<unknown> {
  const found = new Set<unknown>();
  addErrorsIn(error, found);
  return found;
}

function addErrorsIn(error: unknown, found: Set<unknown>): void {
  if (found.has(error)) return;
  found.add(error);
  if (typeof error !== "object" || error === null) return;
  const parts = error as { errors?: unknown; error?: unknown; suppressed?: unknown; cause?: unknown };
  if (Array.isArray(parts.errors)) for (const part of parts.errors) addErrorsIn(part, found);
  for (const part of [parts.error, parts.suppressed, parts.cause]) if (part !== undefined) addErrorsIn(part, found);
}

/** The jobs of one call that owns them. */
export class Family {
  readonly #ledger: Ledger;
  readonly #call: string;
  readonly #most: number;
  started = 0;
  alive = 0;

  /** @param most - how many may run at once */
  constructor(ledger: Ledger, call: string, most: number = Infinity) {
    this.#ledger = ledger;
    this.#call = call;
    this.#most = most;
  }

  begin(): void {
    this.started += 1;
    this.alive += 1;
    if (this.alive > this.#most) this.#ledger.violated(`${this.#call} runs ${this.alive} of its jobs at once`);
  }

  end(): void {
    this.alive -= 1;
  }

  /** The call has ended. */
  over(): void {
    if (this.alive > 0) this.#ledger.violated(`${this.#call} ended before ${this.alive} of its jobs`);
  }
}

/** Notes what a program does, and what must not be. */
export class Ledger {
  /** What must not be and was. */
  readonly violations: string[] = [];
  /** What happened, if that is of interest. */
  readonly log: string[] | null;
  // By number: whether somebody has been told of the fault.
  readonly #faults = new Map<number, boolean>();
  #namesOnlySome = false;
  // How often each block that was entered was left.
  readonly #blocks: number[] = [];

  /** @param isRecording - whether a log is kept */
  constructor(isRecording: boolean) {
    this.log = isRecording ? [] : null;
  }

  violated(what: string): void {
    this.violations.push(what);
    this.log?.push(`!!! ${what}`);
  }

  newFault(): Fault {
    const number = this.#faults.size + 1;
    this.#faults.set(number, false);
    return new Fault(number);
  }

  /** Somebody has this error and all that is in it. */
  told(error: unknown): void {
    for (const part of errorsIn(error)) if (part instanceof Fault) this.#faults.set(part.number, true);
  }

  /** A process warning says this. One that names only some of very many errors leaves open which ones. */
  toldByWarning(text: string): void {
    if (/; and \d+ more\)/.test(text)) this.#namesOnlySome = true;
    for (const [, number] of text.matchAll(FAULT)) this.#faults.set(Number(number), true);
  }

  /** A block with a cleanup was entered; returns its number. */
  enter(): number {
    return this.#blocks.push(0) - 1;
  }

  /** Its cleanup runs. */
  leave(block: number): void {
    this.#blocks[block] = (this.#blocks[block] ?? 0) + 1;
  }

  /** Nothing runs any more. */
  close(): void {
    for (const [number, isTold] of this.#faults) {
      if (!isTold && !this.#namesOnlySome) this.violated(`fault ${number} is lost`);
    }
    this.#blocks.forEach((times, block) => {
      if (times !== 1) this.violated(`the cleanup of block ${block} ran ${times} times`);
    });
  }

  /**
   * Whether the running code is in a cancelled scope, found by asking each scope from here to the next shield whether it was
   * cancelled.
   */
  isCancelledHere(): boolean {
    const current = currentScopeNode();
    const isCancelled = findsCancellation(current);
    if (isCancelled !== (current.effective !== null)) {
      this.violated(`a scope is ${isCancelled ? "" : "not "}cancelled and says the opposite`);
    }
    return isCancelled;
  }

  /** Looks at an error that was caught here: a cancellation is one of this scope or of one around it, or it would not be here. */
  caught(call: string, error: unknown, says: boolean): void {
    const isCancellation = cancellationOf(error) !== null;
    if (isCancellation && !this.isCancelledHere())
      this.violated(`${call} threw a cancellation where nothing is cancelled`);
    if (says !== isCancellation) this.violated(`${call}: isCancelled says ${says} for ${inspect(error)}`);
  }
}

function findsCancellation(from: Scope): boolean {
  for (let scope: Scope | null = from; scope !== null; scope = scope.parent) {
    if (scope.own !== null) return true;
    if (scope.shielded) return false;
  }
  return false;
}
