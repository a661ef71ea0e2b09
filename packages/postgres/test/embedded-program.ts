// A program with a server of its own, for the tests of how such programs end. Says where the server is, then does as it
// was told: "stay", "return", "throw" or "exit".

import { run, sleepForever } from "meanwhile";

import { startEmbedded } from "../src/embedded.ts";

const [end = "stay", dataDir] = process.argv.slice(2);

await run(
  async () => {
    const { dsn, pid } = await startEmbedded({ dataDir, binDir: process.env["MEANWHILE_TEST_POSTGRES_BIN"] });
    console.log(JSON.stringify({ dsn, pid }));
    if (end === "stay") await keptAlive();
    // oxlint-disable-next-line unicorn/no-process-exit -- that is what is tried out
    if (end === "exit") process.exit(3);
    if (end === "throw") throw new RangeError("on purpose");
  },
  { handleSignals: true },
);

async function keptAlive(): Promise<void> {
  const timer = setInterval(() => {}, 1_000);
  try {
    await sleepForever();
  } finally {
    clearInterval(timer);
  }
}
