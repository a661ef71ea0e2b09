// How the parts of sending speak with each other.

import type { Message } from "./message.ts";

/** Ends the connection, as a message was cut short. */
export type Abandon = (code: number, reason: string) => void;

/** What `ws` is told of one frame. */
export interface FrameOptions {
  readonly compress: boolean;
  readonly fin: boolean;
  readonly binary: boolean;
}

/** Whoever takes frames. */
export interface FrameWriter {
  /**
   * Hands one frame over, and waits for room if there is none.
   *
   * Cancellation: the frame is handed over already.
   */
  write(data: Message | ArrayBuffer, size: number, options: FrameOptions): Promise<void>;
}
