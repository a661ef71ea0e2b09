// What the two sides of backpressure.test.ts share.

/** Each message has so many bytes. */
export const MESSAGE_BYTES = 65_536;
/** Until so much is moved, buffers and the heap grow to the size they keep. Little: what should not grow must not hide in it. */
export const WARM_UP_BYTES: number = 32 * 2 ** 20;
/** How often memory is looked at. */
export const LOOK_EVERY_BYTES: number = 4 * 2 ** 20;
/** A slow reader pauses for so long … */
export const PAUSE_MS = 10;
/** … each time it has read so much. */
export const PAUSE_EVERY_BYTES: number = 2 ** 20;

/** What is sent, again and again, each time in an array of its own. */
export const MESSAGE: Uint8Array = Uint8Array.from(
  { length: MESSAGE_BYTES },
  (_, at) => Math.imul(at + 1, 2_654_435_761) >>> 24,
);
