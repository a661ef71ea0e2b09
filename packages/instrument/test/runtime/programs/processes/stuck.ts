// A task that does not end when it is cancelled.

import { cancelScope, run, shield } from "meanwhile";

function untilWarned(resolve: (value: unknown) => void): void {
  const alive = setInterval(() => {}, 1);
  process.once("warning", (warning) => {
    clearInterval(alive);
    resolve(warning);
  });
}

async function holdsOn(): Promise<void> {
  await shield(async () => {
    await new Promise(untilWarned);
  });
}

await run(
  () =>
    cancelScope(async (scope) => {
      setImmediate(() => scope.cancel());
      await holdsOn();
    }),
  { graceMs: 2 },
);
