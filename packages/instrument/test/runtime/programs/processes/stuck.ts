// A task that does not end when it is cancelled.

import { cancelScope, run, shield } from "meanwhile";

async function holdsOn(): Promise<void> {
  await shield(async () => {
    await new Promise((resolve) => setTimeout(resolve, 10));
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
