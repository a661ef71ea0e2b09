// A program that calls run() itself, and waits in it for something foreign when the signal comes.

import { run } from "meanwhile";

await run(async () => {
  const hold = setInterval(() => {}, 60_000);
  try {
    console.log("ready");
    await new Promise(() => {});
  } finally {
    clearInterval(hold);
    console.log("cleaned up");
  }
});
