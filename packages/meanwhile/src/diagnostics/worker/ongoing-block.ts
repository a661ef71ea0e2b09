// A block of the event loop, as long as it goes on.

import type { Block, Place } from "../protocol.ts";

/** What is known of it so far. */
export interface Ongoing {
  readonly id: number;
  readonly startedAt: number;
  readonly over: PromiseWithResolvers<void>;
  stack: readonly Place[];
  inside: string | null;
  task: Block["task"];
  /** Whether code of the program was seen to run. */
  isProgram: boolean;
  /** Whether it was seen being loaded. */
  isLoading: boolean;
  noStack: Block["noStack"] | undefined;
  /** How many blocks there were here since it was told last, and how many anywhere at which nobody looked. */
  repeated: number;
  unseen: number;
  /** Whether the look is still going on. */
  looking: boolean;
  /** The moment the look was done. */
  lookedAt: number;
  told: boolean;
  /** Whether it was told without a stack. */
  toldEarly: boolean;
}

/**
 * Whether it is the program that blocks the loop, and not Node that loads it. After the native code that does that one sees
 * what came next; so what is seen of the program has to go on for a while.
 */
export function isOfProgram(
  { isProgram, inside, startedAt, lookedAt }: Ongoing,
  now: number,
  thresholdMs: number,
): boolean {
  return isProgram && (inside !== null || now - lookedAt >= Math.max(thresholdMs, (lookedAt - startedAt) / 2));
}
