// The cleanup at the end of a block with an `await using`.

import { storedFrame, storeFrame } from "./context.ts";
import { afterWait, type Frame, OUTSIDE, type StoredFrame } from "./frames.ts";

/** The cleanup at the end of a block with an `await using`, whatever function the resource is disposed of by. */
export interface Disposal extends Disposable {
  /** The resource is disposed of next. */
  begin(): void;
}

/** The disposal of a resource that the frame is about to make. Disposed itself when the hidden await has ended. */
export function disposalOf(frame: Frame): Disposal {
  return frame === OUTSIDE ? NO_DISPOSAL : new FrameDisposal(frame);
}

const NO_DISPOSAL: Disposal = { begin: ignore, [Symbol.dispose]: ignore };

class FrameDisposal implements Disposal {
  readonly #frame: Frame;
  // What is to come back afterwards; null until it has begun, which it never does if the resource cannot be made.
  #before: { readonly c: Frame["c"]; readonly stored: StoredFrame | undefined } | null = null;

  constructor(frame: Frame) {
    this.#frame = frame;
  }

  begin(): void {
    const frame = this.#frame;
    afterWait(frame);
    this.#before = { c: frame.c, stored: storedFrame() };
    frame.c = 1;
    // For a stack of resources: all but its first one are disposed of where nobody calls.
    storeFrame({ frame, cleanup: frame.home, before: this.#before.stored });
  }

  [Symbol.dispose](): void {
    afterWait(this.#frame);
    if (this.#before === null) return;
    this.#frame.c = this.#before.c;
    storeFrame(this.#before.stored);
  }
}

function ignore(): void {}
