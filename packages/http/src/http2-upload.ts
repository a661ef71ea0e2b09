// Sends the body of a request over a stream of HTTP/2, no faster than the server takes it.

import type { ClientHttp2Stream } from "node:http2";

import type { BodyStream } from "./body-stream.ts";
import { hungUp } from "./dial-failure.ts";

/** What is told to whom the body belongs to. */
export interface UploadListener {
  onBodySent(): void;
  /** The body could not be made, or not written. */
  failed(error: Error): void;
}

/** Begins to send. A stream that closes ends it, also in the middle of a wait. */
export function upload(stream: ClientHttp2Stream, content: BodyStream, listener: UploadListener): void {
  pump(stream, content, listener).catch((error: unknown) =>
    // Of what else was thrown the body itself keeps account.
    listener.failed(error instanceof Error ? error : hungUp()),
  );
}

async function pump(stream: ClientHttp2Stream, content: BodyStream, listener: UploadListener): Promise<void> {
  for await (const chunk of content) {
    if (stream.destroyed || stream.closed) return;
    const isRoom = stream.write(chunk);
    listener.onBodySent();
    if (!isRoom) await drained(stream);
    listener.onBodySent();
  }
  if (!stream.destroyed && !stream.closed) stream.end();
}

/** Waits until the stream takes more, or is closed. */
function drained(stream: ClientHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
    // Neither would come any more.
    if (stream.destroyed) done();
  });
}
