// What a test does with an error it expects and wants to look at.

/** The error `work` rejects with; fails if it does not. */
export async function caught(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("Expected a rejection: there was none");
}

/** Turns of the microtask queue, more than enough for everything that is ready to run. */
export async function letMicrotasksRun(turns = 50): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
}
