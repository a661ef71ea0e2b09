// A program that can never finish ends with an error that names who waits for whom.

import { DeadlockError, gather, Lock, run } from "meanwhile";

const first = new Lock();
const second = new Lock();

async function inOrder(one: Lock, other: Lock): Promise<void> {
  using _one = await one.acquire();
  await Promise.resolve(); // anything that lets the other task run
  using _other = await other.acquire();
}

try {
  await run(() => gather([() => inOrder(first, second), () => inOrder(second, first)]));
} catch (error) {
  if (!(error instanceof DeadlockError)) throw error;
  console.log(error.message);
}
