// One of several sources of a queue: the queue is closed when the last of them is.

import { QueueClosedError } from "../errors.ts";
import { atCheckpoint } from "./at-checkpoint.ts";
import type { QueueCore } from "./queue-core.ts";

/**
 * A right to put items into a queue, made by `queue.producer()`. `using` closes it; when the last open one of a queue is
 * closed, the queue is too, and its readers end when they have read everything.
 *
 * @see {@link https://trio.readthedocs.io/en/stable/reference-core.html#managing-multiple-producers-and-or-multiple-consumers}
 */
export class QueueProducer<T> implements Disposable {
  readonly #core: QueueCore<T>;
  #closed = false;

  /** @internal */
  constructor(core: QueueCore<T>) {
    core.openProducer();
    this.#core = core;
  }

  /** Whether this producer was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Puts an item into the queue, waiting for room.
   *
   * Cancellation: safe. A call that throws has not put the item.
   *
   * @throws {@link QueueClosedError} `MW_ERR_QUEUE_CLOSED` if the producer or the queue is closed before there is room
   * @throws {@link CancelledError} `MW_ERR_CANCELLED` if the scope is cancelled before or during the wait
   */
  put(item: T): Promise<void> {
    return atCheckpoint(() => {
      if (this.#closed) throw closedProducer();
      return this.#core.put(item, this);
    });
  }

  /**
   * Puts an item into the queue if there is room.
   *
   * @throws {@link QueueFullError} `MW_ERR_QUEUE_FULL` if there is none
   * @throws {@link QueueClosedError} `MW_ERR_QUEUE_CLOSED` if the producer or the queue is closed
   */
  tryPut(item: T): void {
    if (this.#closed) throw closedProducer();
    this.#core.tryPut(item);
  }

  /**
   * Says that nothing more comes from here. Puts of this producer that wait throw `QueueClosedError`. Closing it again changes
   * nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#core.closeProducer(this, closedProducer);
  }

  /** Closes the producer. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function closedProducer(): QueueClosedError {
  return new QueueClosedError(
    "Cannot put: this producer is closed; put everything before its close(), or make one for each task with queue.producer()",
  );
}
