// How code enters a scope. The only file with AsyncLocalStorage.
//
// The store is a scope; the task, the run and the clock hang on it. It is entered for the time of a callback only: entered
// any other way it leaks into the caller of an async function.
//
// Node carries the stores of all AsyncLocalStorages along in one frame, a Map that is copied whenever a store is entered.
// For a short task that copy was a third of its time and a quarter of its memory (bench/README.md, row `gather`). So where
// Node lets us, a scope is a frame itself: it answers for its own store, and asks the frame around for any other. An
// AsyncResource tells the frame it was made in and enters whatever frame it holds, under a symbol that is found, and tried
// out, when this file is loaded. Without it (Bun, Deno, a Node that has changed) the store is entered as anybody does it.

import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";

import type { StoredFrame } from "./frames.ts";
import type { Scope } from "./scope.ts";

const storage: AsyncLocalStorage<Scope> = new AsyncLocalStorage<Scope>();

/** What Node asks of a frame. */
interface Frame extends Iterable<readonly [store: unknown, value: unknown]> {
  has(store: unknown): boolean;
  get(store: unknown): unknown;
  disable(store: unknown): void;
}

/** What a scope needs to be a frame. */
interface FrameScope {
  /** The frame around the code that entered the scope, itself no scope; undefined if there is none. */
  outerFrame: unknown;
}

type Resource = AsyncResource & Record<symbol, unknown>;

const frameMethods: Frame & ThisType<FrameScope> = {
  has(store) {
    return store === storage || ((this.outerFrame as Frame | undefined)?.has(store) ?? false);
  },
  get(store) {
    return store === storage ? this : (this.outerFrame as Frame | undefined)?.get(store);
  },
  disable(store) {
    (this.outerFrame as Frame | undefined)?.disable(store);
  },
  *[Symbol.iterator]() {
    yield* (this.outerFrame as Frame | undefined) ?? [];
    yield [storage, this];
  },
};

/** Lets the instances of the class of scopes be frames. Not methods of the class: they would be in its published type. */
export function makeFrames(prototype: FrameScope): void {
  for (const key of ["has", "get", "disable", Symbol.iterator] as const) {
    Object.defineProperty(prototype, key, { value: frameMethods[key] });
  }
}

// What is to be seen in a frame of ours, step by step. Above its use: it is needed while this file is loaded.
const EXPECTED = [
  "true outer",
  "true inner",
  "true outer",
  "true undefined",
  "true outer",
  "true outer",
  "false outer",
];

/** The name under which a resource keeps its frame, among `names`; null where a scope cannot be a frame. */
export function findFrameProperty(names: readonly symbol[]): symbol | null {
  const name = names.find(({ description }) => description === "context_frame");
  return name !== undefined && isFrameProperty(name) ? name : null;
}

/** Tries out everything that we and Node do with frames, on one that is ours. */
function isFrameProperty(name: symbol): boolean {
  const other = new AsyncLocalStorage<string>();
  const own = Object.create(frameMethods) as FrameScope & Scope;
  const see = (): string => `${storage.getStore() === own} ${other.getStore()}`;
  try {
    const seen = other.run("outer", () => {
      const resource = new AsyncResource("meanwhile.Frame") as Resource;
      own.outerFrame = resource[name];
      resource[name] = own;
      const inside = resource.runInAsyncScope(() => {
        const snapshot = AsyncLocalStorage.snapshot();
        return [see(), other.run("inner", see), storage.run(own, see), other.exit(see), see(), () => snapshot(see)];
      });
      return [...inside, see()];
    });
    return seen.map((one) => (typeof one === "function" ? one() : one)).join() === EXPECTED.join();
  } catch {
    return false;
  }
}

const FRAME = findFrameProperty(Object.getOwnPropertySymbols(new AsyncResource("meanwhile.Frame")));

/** The scope the running code was entered with, live or not. */
export function enteredScope(): Scope | undefined {
  return storage.getStore();
}

// The frames of instrumented code, see frames.ts. A store of its own: few waits need it, and the scope's is read at each.
const frames: AsyncLocalStorage<StoredFrame | undefined> = new AsyncLocalStorage();

/** The frame that was stored in the context of the running code, ended or not. */
export function storedFrame(): StoredFrame | undefined {
  return frames.getStore();
}

/** Stores a frame in the context of the running code, until that is left: at the next await, or by storing another one. */
export function storeFrame(frame: StoredFrame | undefined): void {
  frames.enterWith(frame);
}

/** Runs `callback(argument)` inside the scope, and everything it starts. */
export function runInScope<A, R>(scope: Scope, callback: (argument: A) => R, argument: A): R {
  return new CapturedContext().runInScope(scope, callback, argument);
}

/** Calls a body so that a lazy thenable it returns is started in the context of the call. */
export async function callBody<T>(body: () => T | PromiseLike<T>): Promise<T> {
  return await body();
}

/** Returns a function that runs callbacks in today's context, whatever the context is when it is called. */
export function captureContext(): <R>(callback: () => R) => R {
  const context = new CapturedContext();
  return (callback) => context.run(callback);
}

/** Today's context, to run callbacks in and to start tasks from. */
export class CapturedContext {
  readonly #resource = new AsyncResource("meanwhile.CapturedContext") as Resource;
  readonly #name: symbol | null;
  // The captured frame, where a scope can be one.
  readonly #frame: Frame | Scope | undefined;

  /** @internal @param name - under which resources keep their frames; null enters the store as anybody does it */
  constructor(name: symbol | null = FRAME) {
    this.#name = name;
    this.#frame = name === null ? undefined : (this.#resource[name] as Frame | Scope | undefined);
  }

  /** Runs a callback in the captured context. */
  run<R>(callback: () => R): R {
    if (this.#name !== null) this.#resource[this.#name] = this.#frame;
    return this.#resource.runInAsyncScope(callback);
  }

  /** Runs `callback(argument)` in the captured context, but inside the scope. */
  runInScope<A, R>(scope: Scope, callback: (argument: A) => R, argument: A): R {
    if (this.#name === null) {
      return this.#resource.runInAsyncScope(enterAndCall<A, R>, undefined, scope, callback, argument);
    }
    const frame = this.#frame;
    // Never a chain of frames: what is around a scope answers for all stores but ours.
    scope.outerFrame = isScope(frame) ? frame.outerFrame : frame;
    this.#resource[this.#name] = scope;
    return this.#resource.runInAsyncScope(callback, undefined, argument);
  }
}

function isScope(frame: object | undefined): frame is Scope {
  return frame !== undefined && "outerFrame" in frame;
}

// One new context: `storage.run` would make another one to go back to.
function enterAndCall<A, R>(scope: Scope, callback: (argument: A) => R, argument: A): R {
  storage.enterWith(scope);
  return callback(argument);
}
