// Plain functions that return promises of anybody, given to meanwhile as bodies and jobs.

import {
  cancelScope,
  gather,
  isCancelled,
  moveOnAfter,
  shield,
  sleep,
  taskGroup,
  timeout,
  TimeoutError,
} from "meanwhile";
import { currentScopeNode, renderTaskTree } from "meanwhile/lowlevel";

import { type Log, never, turns } from "./foreign.ts";

async function limited(log: Log, call: () => Promise<unknown>): Promise<void> {
  try {
    log(String(await call()));
  } catch (error) {
    log(error instanceof TimeoutError ? error.message.replace(/\(\/.*\/(\w+\.ts).*\)/, "($1)") : String(error));
  }
}

export async function timeoutOfForeign(log: Log): Promise<void> {
  await limited(log, () => timeout(50, () => never()));
}

export async function moveOnFromForeign(log: Log): Promise<void> {
  await limited(log, () => moveOnAfter(50, () => Promise.race([never(), never()])));
}

export async function jobsThatAreForeign(log: Log): Promise<void> {
  await limited(log, () => timeout(50, () => gather([() => never(), () => turns(1), () => never()])));
}

export async function taskThatIsForeign(log: Log): Promise<void> {
  await taskGroup(async (group) => {
    const task = group.createTask(() => never());
    await sleep(1);
    task.cancel();
    await task.then(null, (error: unknown) => log(`${(error as Error).name}, ours: ${isCancelled(error)}`));
  });
}

export async function groupBodyThatIsForeign(log: Log): Promise<void> {
  await limited(log, () =>
    moveOnAfter(50, () =>
      taskGroup((group) => {
        group.createTask(async () => log("task ends"));
        return never();
      }),
    ),
  );
}

export async function valuesOfPlainBodies(log: Log): Promise<void> {
  await moveOnAfter(50, async (scope) => {
    scope.cancel();
    log(await timeout(50, () => "a value in a cancelled scope"));
  });
  log(await shield(() => turns(1).then(() => "a promise")));
}

/** Outside of any run, where timeouts work too. */
export async function outsideOfRuns(log: Log): Promise<void> {
  await limited(log, () =>
    timeout(50, async () => {
      try {
        await Promise.all([never(), turns(1)]);
      } finally {
        await turns(1);
        log("cleaned up");
      }
    }),
  );
}

export async function twoWaitsOfOneTask(log: Log): Promise<void> {
  async function inner(): Promise<void> {
    await never();
  }
  await cancelScope(async (scope) => {
    setImmediate(() => {
      log(renderTaskTree(currentScopeNode().runner.root));
      scope.cancel();
    });
    await Promise.all([inner(), never().then(String), sleep(60_000)]);
  });
}

/** The limit of a cleanup ends it: it is not one more cancellation that the cleanup may outlast. */
export async function limitOfCleanup(log: Log): Promise<void> {
  await moveOnAfter(50, async () => {
    try {
      await never();
    } finally {
      await limited(log, () => shield(() => never(), { timeoutMs: 50 }));
      await limited(log, () =>
        shield(
          async () => {
            await never();
          },
          { timeoutMs: 50 },
        ),
      );
      log("cleaned up");
    }
  });
}
