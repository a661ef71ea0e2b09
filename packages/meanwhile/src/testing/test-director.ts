// Takes chance out of a test: everything that meanwhile wakes goes through one list.
//
// With a seed, one of those that can go on is picked at a time, and everything it sets off runs until nothing moves before
// the next is picked. Without one they go on at once, in the order they were woken, as outside of tests; but what depends on
// real time there, whether a turn of the event loop has lasted too long, is decided by counting.

import type { Director, Scope } from "../lowlevel.ts";
import { Random } from "./random.ts";

// Taken at load time, so that test tools that replace the globals do not reach in here.
const { queueMicrotask, setImmediate } = globalThis;
const nextTick = process.nextTick.bind(process);

/** One checkpoint in so many finds its turn of the event loop over, and one pick in so many waits for a turn. */
const ONE_TURN_IN = 8;

/** Without a seed: how many checkpoints a turn of the event loop lasts. */
const CHECKPOINTS_IN_A_TURN = 100;

/** Decides for one run of a test and the runs inside it. */
export class TestDirector implements Director {
  readonly #random: Random | null;
  readonly #ready: ReadyList | null;
  #checkpoints = 0;
  /** Called at each checkpoint; see {@link Director.checkpoint}. */
  atCheckpoint: ((scope: Scope) => Error | undefined) | null = null;
  /** Told who goes on, before it does. */
  onResume: ((scope: Scope) => void) | null = null;
  /** Called when nobody is left who can go on, and everything that was set off has come to rest. */
  onRest: (() => void) | null = null;

  /** @param seed - null to keep the order in which things happen */
  constructor(seed: number | null) {
    this.#random = seed === null ? null : new Random(seed);
    this.#ready = this.#random === null ? null : new ReadyList(this.#random, () => this.onRest?.());
  }

  /** Whether somebody could go on and was not picked yet. */
  get hasReady(): boolean {
    return this.#ready !== null && this.#ready.size > 0;
  }

  checkpoint(scope: Scope): Error | undefined {
    return this.atCheckpoint?.(scope);
  }

  turnIsOver(): boolean {
    if (this.#random !== null) return this.#random.below(ONE_TURN_IN) === 0;
    this.#checkpoints += 1;
    return this.#checkpoints % CHECKPOINTS_IN_A_TURN === 0;
  }

  random(): number {
    return this.#random === null ? Math.random() : this.#random.below(4_294_967_296) / 4_294_967_296;
  }

  resume(scope: Scope, go: () => void): void {
    const goOn = (): void => {
      this.onResume?.(scope);
      go();
    };
    if (this.#ready !== null) this.#ready.add(goOn);
    // A task that was just created starts in a microtask: its creator must have it before.
    else if (scope.task?.state.kind === "new") queueMicrotask(goOn);
    else goOn();
  }
}

/** Those who can go on, of whom one is picked at a time. */
class ReadyList {
  readonly #random: Random;
  readonly #onRest: () => void;
  readonly #ready: Array<() => void> = [];
  #isPicking = false;
  readonly #pick = (): void => this.#pickOne();
  readonly #pickInTick = (): void => nextTick(this.#pick);

  constructor(random: Random, onRest: () => void) {
    this.#random = random;
    this.#onRest = onRest;
  }

  get size(): number {
    return this.#ready.length;
  }

  add(go: () => void): void {
    this.#ready.push(go);
    if (!this.#isPicking) this.#pickSoon();
  }

  #pickSoon(): void {
    this.#isPicking = true;
    // A tick comes when all microtasks have run, and is cheaper than a turn of the event loop; but that must get its turn too.
    if (this.#random.below(ONE_TURN_IN) === 0) setImmediate(this.#pick);
    // From a microtask: a tick asked for by a tick comes before the microtasks.
    else queueMicrotask(this.#pickInTick);
  }

  #pickOne(): void {
    const ready = this.#ready;
    const index = this.#random.below(ready.length);
    const picked = ready[index];
    const last = ready.pop();
    if (picked === undefined || last === undefined) {
      this.#isPicking = false;
      this.#onRest();
      return;
    }
    // The order of the list means nothing, so that the last one can take the place.
    if (index < ready.length) ready[index] = last;
    picked();
    this.#pickSoon();
  }
}
