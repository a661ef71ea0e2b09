// `for await` and `yield*` in instrumented code: the waits that the language hides in them.

import { beforeWait, type Frame, OUTSIDE, pauseForDelegation } from "./frames.ts";

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
  const isObject = (typeof iterator === "object" && iterator !== null) || typeof iterator === "function";
  return isObject ? new kind(frame, at, iterable, iterator) : { [Symbol.asyncIterator]: () => iterator };
}

/** What a generator delegates to: its waits are those of whoever asks the generator. */
export function watchDelegate(frame: Frame, at: number, iterable: unknown): unknown {
  pauseForDelegation(frame, at);
  return iterable;
}

class Watched {
  readonly frame: Frame;
  readonly at: number;
  readonly iterable: unknown;
  readonly iterator: object;
  readonly #next: Method;

  constructor(frame: Frame, at: number, iterable: unknown, iterator: object) {
    this.frame = frame;
    this.at = at;
    this.iterable = iterable;
    this.iterator = iterator;
    this.#next = (iterator as { next: Method }).next;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): unknown {
    const { frame } = this;
    const wait = beforeWait(frame, this.at, this.ask(this.#next.call(this.iterator)));
    frame.abandon = () => this.abandon();
    return wait;
  }

  /** What the loop waits for after one answer of the iterator. */
  ask(answer: unknown): unknown {
    return answer;
  }

  // Read when the loop is left early, and only then.
  get return(): Method | undefined | null {
    const method = (this.iterator as { return?: Method | null }).return;
    if (typeof method !== "function") return method;
    return () => {
      const { frame } = this;
      // Closing is cleanup wherever the loop stands. The code after the loop says what it is itself.
      frame.c = 1;
      return beforeWait(frame, this.at, method.call(this.iterator));
    };
  }

  /** The language does not close an iterator whose `next` fails: it believes that it is closed. This one is not. */
  abandon(): void {
    try {
      const { destroy } = this.iterable as { destroy?: unknown };
      if (typeof destroy === "function") destroy.call(this.iterable);
      else Promise.resolve((this.iterator as { return?: Method }).return?.()).catch(ignore);
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
