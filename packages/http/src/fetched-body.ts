// The body of an answer as a standard stream: pulled by whoever reads it, in his scope.

import type { UnderlyingByteSource } from "node:stream/web";

import { HttpError } from "./errors.ts";
import type { ClientResponse } from "./response.ts";

interface Forgotten {
  readonly response: ClientResponse;
  readonly unlink: () => void;
}

// Code written against the standard drops bodies it does not want: theirs must not hold a slot for ever.
const forgotten = new FinalizationRegistry<Forgotten>(({ response, unlink }) => {
  unlink();
  response.abandon();
});

/**
 * The body of the response as a stream of bytes. Aborting the signal, cancelling the stream and forgetting it close the
 * connection.
 */
export function streamOf(response: ClientResponse, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
  const chunks = response.stream();
  let unlink: () => void = nothing;
  const source: UnderlyingByteSource = {
    type: "bytes",
    start: (controller) => {
      unlink = linkAbort(controller, response, signal);
    },
    pull: async (controller) => {
      try {
        const { done, value } = await chunks.next();
        if (signal?.aborted === true) return;
        if (done !== true) return pass(controller, value);
        unlink();
        controller.close();
        // A reader that brought its own buffer gets it back.
        controller.byobRequest?.respond(0);
      } catch (error) {
        unlink();
        controller.error(error instanceof HttpError ? new TypeError("terminated", { cause: error }) : error);
      }
    },
    cancel: async () => {
      unlink();
      await chunks.return?.();
    },
  };
  const stream = new ReadableStream(source);
  forgotten.register(stream, { response, unlink });
  return stream;
}

function pass(controller: ReadableByteStreamController, chunk: Uint8Array): void {
  // A copy: the stream takes the memory it is given away from everybody else.
  controller.enqueue(new Uint8Array(chunk));
}

/** Ends the stream with the reason of the signal. The signal, which may live long, does not hold the stream. */
function linkAbort(
  controller: ReadableByteStreamController,
  response: ClientResponse,
  signal: AbortSignal | undefined,
): () => void {
  if (signal === undefined) return nothing;
  const held = new WeakRef(controller);
  const abort = (): void => {
    held.deref()?.error(signal.reason);
    response.abandon();
  };
  signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
}

function nothing(): void {}
