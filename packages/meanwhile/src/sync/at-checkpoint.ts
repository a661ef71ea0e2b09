// How every call in sync/ that waits begins.

import { asCaller, enterCheckpoint } from "../lowlevel.ts";

/** For calls that have nothing to return and nothing to wait for. */
export const DONE: Promise<void> = Promise.resolve();

/**
 * Passes a checkpoint, then calls `go`. Whatever is thrown is a rejection, as in an async function; but the caller awaits
 * the very promise of the wait, where an async function would put one more around it (a hand-off between tasks takes
 * 460 ns this way instead of 540; test/sync/checkpoints.test.ts holds both paths to the same behaviour).
 */
export function atCheckpoint<T>(go: () => Promise<T>): Promise<T> {
  try {
    const turn = enterCheckpoint();
    return turn === null ? go() : afterTurn(turn, asCaller(go));
  } catch (error) {
    return Promise.reject(error);
  }
}

async function afterTurn<T>(turn: Promise<void>, go: () => Promise<T>): Promise<T> {
  await turn;
  return go();
}
