// A semaphore that notices when more is given back than was taken.

import { UsageError } from "../errors.ts";
import { badArgument, isCount } from "../util/arguments.ts";
import { Semaphore } from "./semaphore.ts";

/**
 * A {@link Semaphore} that never has more free permits than it was made with: a release too many is an error where it
 * happens, and not a limit that is silently higher from then on.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.BoundedSemaphore}
 *
 * @example
 * ```ts
 * import { BoundedSemaphore, UsageError } from "meanwhile";
 *
 * const slots = new BoundedSemaphore(1);
 * const slot = await slots.acquire();
 * slots.release();
 * try {
 *   slot.release(); // it has been given back
 * } catch (error) {
 *   console.log(error instanceof UsageError); //> true
 * }
 * ```
 */
export class BoundedSemaphore extends Semaphore {
  // Inherits, because what takes a Semaphore must take one that is stricter.
  readonly #most: number;

  /**
   * @param permits - how many tasks may hold a permit at once; an integer >= 1
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `permits` is anything else
   */
  constructor(permits: number) {
    if (!isCount(permits, 1)) throw badArgument("create BoundedSemaphore", "permits", permits, "an integer >= 1");
    super(permits);
    this.#most = permits;
  }

  /**
   * Gives a permit back: to the longest waiter, if there is one. A permit that is given back by itself counts as well.
   *
   * @throws {@link UsageError} `MW_ERR_NOT_HELD` if no permit is taken
   */
  override release(): void {
    if (this.freePermits >= this.#most) {
      throw new UsageError(
        "MW_ERR_NOT_HELD",
        `Cannot release one more permit: all ${this.#most} are free; give each one back once, either with permit.release() or using, or with semaphore.release()`,
      );
    }
    super.release();
  }
}
