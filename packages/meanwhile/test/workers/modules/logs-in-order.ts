// Run by a test: writes itself, then has a thread write, and so on.

import { runSync } from "meanwhile/workers";

const module = new URL("./sync-functions.ts", import.meta.url);
for (const round of [1, 2]) {
  console.log(`before ${round}`);
  runSync(module, "logs", `inside ${round}`);
}
runSync(module, "logs", "x".repeat(100_000));
console.log("after");
