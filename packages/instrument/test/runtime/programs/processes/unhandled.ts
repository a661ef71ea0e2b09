// A promise that nobody awaits rejects.

import { run } from "meanwhile";

async function fails(): Promise<void> {
  await Promise.resolve();
  throw new RangeError("nobody awaits this");
}

await run(async () => {
  void fails();
  await new Promise((resolve) => setTimeout(resolve, 5));
});
