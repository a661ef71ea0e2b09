// Nothing can go on.

import { Event, run } from "meanwhile";

async function waits(): Promise<void> {
  await new Event().wait();
}

async function waitsForForeign(): Promise<void> {
  await new Promise(() => {});
}

await run(async function main() {
  await Promise.all([waits(), waitsForForeign()]);
});
