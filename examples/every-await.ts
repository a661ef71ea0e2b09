// Plain code over something that cannot be cancelled. Run it in two ways:
//
//   node examples/every-await.ts                    waits for the slow answer, though its time is over
//   npx meanwhile run examples/every-await.ts       stops at the await, cleans up, and goes on

import { moveOnAfter, run } from "meanwhile";

const slowAnswer = (): Promise<string> => new Promise((resolve) => void setTimeout(resolve, 500, "answer"));

async function ask(): Promise<string> {
  try {
    return await slowAnswer();
  } finally {
    console.log("cleaned up");
  }
}

const started = performance.now();
const answer = await run(() => moveOnAfter(50, ask));
console.log(`${answer} after ${performance.now() - started < 400 ? "a moment" : "half a second"}`);
