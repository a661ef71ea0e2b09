// One call of a function in a worker, as a checkpoint of the caller.
//
// It does not look at the budget of the turn: it always waits for a message, so the event loop gets its turn anyway.

import { SystemClock } from "../clock/system-clock.ts";
import { CancelledError, TaskCancelledError } from "../errors.ts";
import { currentScopeNode, type Scope, suspend } from "../lowlevel.ts";
import { cancelJob } from "./cancelling.ts";
import { takeMoved } from "./moved.ts";
import type { PoolCore } from "./pool-core.ts";
import { closedError } from "./pool-errors.ts";
import { type JobListener, PoolJob, type JobTerms } from "./pool-job.ts";

/** Calls a function of the module, or calls it for each item, if `isEach`. Waits for room in the queue first. */
export function callInPool(core: PoolCore, name: string, args: readonly unknown[], isEach: boolean): Promise<unknown> {
  if (core.isFull && core.state === "open") return callLater(core, name, args, isEach);
  const job = new PoolJob(name, args, termsOf(core, args, isEach), CALLERS);
  return suspend<unknown>((waiter) => {
    if (core.state !== "open") throw closedError(core.settings.name);
    job.waiter = waiter;
    core.submit(job);
    return () => (cancelJob(core, job, waiter.scope?.effective?.reason) ? undefined : "wait");
  }, job);
}

// Whoever is woken may find the room taken by a call that did not wait.
async function callLater(core: PoolCore, name: string, args: readonly unknown[], isEach: boolean): Promise<unknown> {
  await core.room.park();
  core.roomAgain(); // if this one is not made after all, the next in the line gets its room
  return await callInPool(core, name, args, isEach);
}

function termsOf(core: PoolCore, args: readonly unknown[], isEach: boolean): JobTerms {
  const common = isEach ? core.termsOfEach : core.termsOfCall;
  const deadline = deadlineOf(currentScopeNode());
  const transfer = takeMoved(args);
  return deadline === Infinity && transfer.length === 0 ? common : { ...common, deadline, transfer };
}

/** When the scope is cancelled by a deadline of its own or of one around it; only the system's clock is known to a worker. */
function deadlineOf(from: Scope): number {
  let deadline = Infinity;
  for (let scope: Scope | null = from; scope !== null; scope = scope.shielded ? null : scope.parent) {
    if (scope.deadline < deadline) deadline = scope.deadline;
  }
  return deadline === Infinity || from.runner.clock instanceof SystemClock ? deadline : Infinity;
}

/** Those who wait for calls. */
const CALLERS: JobListener = {
  succeeded({ waiter }, value) {
    waiter?.wake(value);
  },
  failed({ waiter }, makeError) {
    waiter?.failWith(makeError);
  },
  cancelled({ waiter, name }) {
    const scope = waiter?.scope ?? null;
    if (waiter === null || scope === null) return;
    waiter.failWith(() => (scope.effective === null ? jobCancelled(name) : new CancelledError(scope.effective)));
  },
  progressed() {},
};

/** For somebody who is not cancelled and awaits a job that was. */
export function jobCancelled(name: string): TaskCancelledError {
  return new TaskCancelledError(`"${name}" in a worker`, undefined);
}
