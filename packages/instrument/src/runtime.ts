// What instrumented code calls. Short names, because they stand at every await.
//
// ES modules import this file; CommonJS finds it under a registered symbol.

import {
  afterWait,
  beforeCallWait,
  beforeWait,
  beforeYield,
  type Disposal,
  disposalOf,
  enterFrame,
  exitFrame,
  type Frame,
  notePlainFunction,
  ownFunctions,
  sitesOf,
  startFrames,
  storeForCallbacks,
  watchDelegate,
  watchIterable,
} from "meanwhile/lowlevel";

import { checkDropped, checkDroppedOf } from "./forgotten.ts";

/** What instrumented code finds under the names it was given. */
export interface Runtime {
  /** The functions and waits of a file, from the table in its code. */
  readonly file: typeof sitesOf;
  /** A function begins. */
  readonly e: typeof enterFrame;
  /** A function ends. */
  readonly x: typeof exitFrame;
  /** Before an await: gives what to await. */
  readonly a: typeof beforeWait;
  /** Before the await of a call: gives what to await. */
  readonly k: typeof beforeCallWait;
  /** Functions that are instrumented themselves. */
  readonly o: typeof ownFunctions;
  /** After an await, with its value. */
  r<T>(frame: Frame, value: T): T;
  /** After an await that has thrown, or whose end is not seen: at the start of `catch` and `finally`. */
  readonly c: typeof afterWait;
  /** After the hidden awaits of `for await`. */
  readonly c2: typeof afterWait;
  /** Before `for await`: gives what to iterate. */
  readonly it: typeof watchIterable;
  /** Before a `yield`: gives what to yield. */
  readonly z: typeof beforeYield;
  /** After a `yield`, with what was sent. */
  y<T>(frame: Frame, value: T): T;
  /** Before a `yield*`: gives what to delegate to. */
  readonly d: typeof watchDelegate;
  /** Before an `await using`: disposed after it, when its hidden await has ended. */
  readonly u: typeof disposalOf;
  /** After an `await using`: disposed before it, when its cleanup begins. */
  v(disposal: Disposal): Disposable;
  /** An argument that may be a function. */
  q<T>(frame: Frame, argument: T): T;
  /** A plain function that stands as an argument, or in a list that is one. */
  l<T extends object>(frame: Frame, given: T): T;
  /** A call whose value is dropped. */
  readonly s: typeof checkDropped;
  /** The call of a method whose value is dropped. */
  readonly t: typeof checkDroppedOf;
}

/** The hooks themselves. */
export const runtime: Runtime = {
  file: sitesOf,
  e: enterFrame,
  x: exitFrame,
  a: beforeWait,
  k: beforeCallWait,
  o: ownFunctions,
  r: afterWaitWith,
  c: afterWait,
  c2: afterWait,
  it: watchIterable,
  z: beforeYield,
  y: afterWaitWith,
  d: watchDelegate,
  u: disposalOf,
  v: (disposal) => ({ [Symbol.dispose]: () => disposal.begin() }),
  q(frame, argument) {
    storeForCallbacks(frame, argument);
    return argument;
  },
  l(frame, given) {
    notePlainFunction(given);
    storeForCallbacks(frame, given);
    return given;
  },
  s: checkDropped,
  t: checkDroppedOf,
};

function afterWaitWith<T>(frame: Frame, value: T): T {
  afterWait(frame);
  return value;
}

Object.defineProperty(globalThis, Symbol.for("meanwhile.frames"), { value: runtime, configurable: true });
startFrames();
