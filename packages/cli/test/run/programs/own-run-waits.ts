// A program that calls run() itself, and waits in it for something foreign when the signal comes.

import { setImmediate } from "node:timers/promises";

import { run } from "meanwhile";

try {
  await run(async () => {
    const hold = setInterval(() => {}, 60_000);
    try {
      console.log("ready");
      await new Promise(() => {});
    } finally {
      clearInterval(hold);
      await setImmediate();
      console.log("cleaned up");
    }
  });
} finally {
  console.log("after the run");
}
