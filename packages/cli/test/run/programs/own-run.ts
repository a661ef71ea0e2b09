// A program that calls run() itself.

import { moveOnAfter, run } from "meanwhile";

async function never(): Promise<void> {
  try {
    await new Promise(() => {});
  } finally {
    console.log("cleaned up");
  }
}

console.log(await run(() => moveOnAfter(5, never)));
