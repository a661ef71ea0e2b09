// `for await` and `yield*` in instrumented code: the waits that the language hides in them.

import {
  afterWait,
  beforeWait,
  currentFrame,
  type Frame,
  type Iteration,
  OUTSIDE,
  pauseForDelegation,
  storeForCallbacks,
} from "./frames.ts";

/** What `for await` reads of an iterator's answer. */
interface Answer {
  readonly done?: unknown;
  readonly value?: unknown;
}

type Method = (this: unknown, ...given: unknown[]) => unknown;

/** What is iterated in place of `iterable`: the same, with each wait told to the frame. */
export function watchIterable(frame: Frame, at: number, iterable: unknown): unknown {
  if (frame === OUTSIDE || iterable === null || iterable === undefined) return iterable;
  const method = (iterable as { [Symbol.asyncIterator]?: Method | null })[Symbol.asyncIterator];
  if (method === undefined || method === null) {
    return watched(WatchedSync, frame, at, iterable, (iterable as { [Symbol.iterator]?: unknown })[Symbol.iterator]);
  }
  return watched(Watched, frame, at, iterable, method);
}

// What cannot be iterated is refused by the language itself, in its own words.
function watched(kind: typeof Watched, frame: Frame, at: number, iterable: unknown, method: unknown): unknown {
  if (typeof method !== "function") return iterable;
  const iterator: unknown = method.call(iterable);
  const next = nextOf(iterator);
  if (next === null) return { [Symbol.asyncIterator]: () => iterator };
  return new kind({ frame, at, iterable, iterator: iterator as object, next });
}

/** What a generator delegates to: its waits are those of whoever asks the generator. */
export function watchDelegate(frame: Frame, at: number, iterable: unknown): unknown {
  pauseForDelegation(frame, at);
  if (frame === OUTSIDE || iterable === null || iterable === undefined) return iterable;
  const { [Symbol.asyncIterator]: method } = iterable as { [Symbol.asyncIterator]?: Method | null };
  const isAsync = method !== undefined && method !== null;
  const opener = isAsync ? method : (iterable as { [Symbol.iterator]?: unknown })[Symbol.iterator];
  if (typeof opener !== "function") return iterable;
  const iterator: unknown = opener.call(iterable);
  const next = nextOf(iterator);
  const given = next === null ? iterator : new Delegate(frame, iterator as object, next);
  return { [isAsync ? Symbol.asyncIterator : Symbol.iterator]: () => given };
}

function nextOf(iterator: unknown): Method | null {
  if ((typeof iterator !== "object" || iterator === null) && typeof iterator !== "function") return null;
  const { next } = iterator as { next?: unknown };
  return typeof next === "function" ? (next as Method) : null;
}

// The language asks it without the generator noticing. Who asked is needed when the generator goes on itself.
class Delegate {
  readonly #frame: Frame;
  readonly #iterator: { readonly [Name in "return" | "throw"]?: Method | null };
  readonly #next: Method;

  constructor(frame: Frame, iterator: object, next: Method) {
    this.#frame = frame;
    this.#iterator = iterator;
    this.#next = next;
  }

  next(...given: unknown[]): unknown {
    return this.#ask(this.#next, given);
  }

  get return(): Method | null | undefined {
    return this.#asking(this.#iterator.return);
  }

  get throw(): Method | null | undefined {
    return this.#asking(this.#iterator.throw);
  }

  #asking(method: Method | null | undefined): Method | null | undefined {
    return typeof method === "function" ? (...given) => this.#ask(method, given) : method;
  }

  #ask(method: Method, given: unknown[]): unknown {
    this.#frame.asker = currentFrame();
    return method.apply(this.#iterator, given);
  }
}

interface Loop {
  readonly frame: Frame;
  readonly at: number;
  readonly iterable: unknown;
  readonly iterator: object;
  readonly next: Method;
}

class Watched implements Iteration {
  isClosing = false;
  readonly #loop: Loop;

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): unknown {
    const { next, iterator } = this.#loop;
    return this.#wait(this.ask(next.call(iterator)));
  }

  #wait(promise: unknown): unknown {
    const { frame, at } = this.#loop;
    const wait = beforeWait(frame, at, promise);
    if (frame.promise !== null) frame.iteration = this;
    return wait;
  }

  /** What the loop waits for after one answer of the iterator. */
  ask(answer: unknown): unknown {
    return answer;
  }

  // Read when the loop is left early, and only then.
  get return(): Method | undefined | null {
    const method = (this.#loop.iterator as { return?: Method | null }).return;
    if (typeof method !== "function") return method;
    return () => this.#close(method);
  }

  // Closing is cleanup, wherever the loop stands.
  #close(method: Method): unknown {
    const { frame, iterator } = this.#loop;
    // The body may have thrown, at an await of its own.
    afterWait(frame);
    const { c } = frame;
    frame.c = 1;
    this.isClosing = true;
    try {
      // A generator goes on in a microtask, and finds the frame in the context.
      storeForCallbacks(frame, method);
      return this.#wait(method.call(iterator));
    } finally {
      frame.c = c;
    }
  }

  /** The language does not close an iterator whose `next` fails: it believes that it is closed. This one is not. */
  abandon(): void {
    const { iterable, iterator } = this.#loop;
    try {
      const { destroy } = iterable as { destroy?: unknown };
      if (typeof destroy === "function") destroy.call(iterable);
      else Promise.resolve((iterator as { return?: Method }).return?.()).catch(ignore);
    } catch {
      // It has no way to be told.
    }
  }
}

// A sync iterable, whose values are awaited.
class WatchedSync extends Watched {
  override ask(answer: unknown): unknown {
    if (typeof answer !== "object" || answer === null) return answer;
    const { done, value } = answer as Answer;
    return Promise.resolve(value).then(
      (given) => ({ done, value: given }),
      (error: unknown) => {
        if (done !== true) this.abandon();
        throw error;
      },
    );
  }
}

function ignore(): void {}
