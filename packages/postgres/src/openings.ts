// The connections of a pool that are being opened.
//
//   running ──the link is there, failed, closed, its time is over──▶ over
//
// An opening is nobody's task, and no cancellation of one who waits for it reaches it: were it thrown away with its caller,
// callers in a hurry would never get a connection. It runs in a scope that hangs below no task (detached.ts). What bounds it is
// `connectTimeoutMs` (link-maker.ts).

import { cancellable } from "meanwhile";
import { type CancelScope, captureContext } from "meanwhile/lowlevel";

import { detached } from "./detached.ts";
import type { Link } from "./link.ts";
import { poolClosed } from "./pool-errors.ts";

/** What came of an opening. */
export type Opened =
  | { readonly link: Link; readonly error?: undefined }
  | { readonly link: null; readonly error: unknown };

/** What there is to be known of an opening. */
export interface OpeningsOptions {
  /** Makes the link. Must end, soon if it is cancelled, and leave no socket then. */
  readonly open: () => Promise<Link>;
  /** It is over: it is not counted any more. Must not throw. */
  readonly onEnd: (opened: Opened, opening: Opening) => void;
}

/** One that runs. */
export interface Opening {
  /** When it began, by `performance.now()`. */
  readonly begunAt: number;
  /** Whether one asked for it who does not stand in the line: a failure is his. */
  readonly isAwaited: boolean;
  /** Resolves when it is over. */
  readonly ended: Promise<Opened>;
}

export class Openings {
  readonly #options: OpeningsOptions;
  readonly #inContext = captureContext();
  readonly #running = new Set<Opening>();
  readonly #scopes = new Set<CancelScope>();
  #isClosed = false;

  constructor(options: OpeningsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#running.size;
  }

  /** Begins another one. */
  begin(isAwaited = false): Opening {
    const { promise: ended, resolve } = Promise.withResolvers<Opened>();
    const opening = { isAwaited, ended, begunAt: performance.now() };
    this.#running.add(opening);
    const end = (opened: Opened): void => {
      this.#running.delete(opening);
      this.#options.onEnd(opened, opening);
      resolve(opened);
    };
    this.#inContext(() => this.#run()).then(end, (error) => end({ link: null, error }));
    return opening;
  }

  /** The ones that run, the longest first, and as many new ones as make `count`, for one who waits for them himself. */
  atLeast(count: number): Opening[] {
    const running = [...this.#running].slice(0, count);
    while (running.length < count) running.push(this.begin(true));
    return running;
  }

  /** Ends all of them; each is over soon. */
  close(): void {
    this.#isClosed = true;
    for (const scope of this.#scopes) scope.cancel();
  }

  /** Never rejects. */
  async #run(): Promise<Opened> {
    try {
      const ending = await detached((scope) => this.#runIn(scope));
      if (ending.kind === "absorbed") return { link: null, error: poolClosed() };
      if (!this.#isClosed) return { link: ending.value };
      ending.value.destroy();
      return { link: null, error: poolClosed() };
    } catch (error) {
      return { link: null, error };
    }
  }

  async #runIn(scope: CancelScope): Promise<Link> {
    this.#scopes.add(scope);
    try {
      return await this.#options.open();
    } finally {
      this.#scopes.delete(scope);
    }
  }
}

/** Waits for one as its caller, who may be cancelled: it goes on then. */
export async function outcomeOf({ ended }: Opening): Promise<Opened> {
  return cancellable(ended);
}
