// Where frames and the rest of the runtime meet: nothing of frames is in the way of a program before this was called.

import { callerFor } from "./frame-bodies.ts";
import { frameHooks } from "./frame-hooks.ts";
import { asCaller, type Begun, began, ended, suspensionBegan } from "./frames.ts";
import { addInstrument } from "./instruments.ts";
import { untilLeft } from "./leave-scope.ts";
import type { Scope } from "./scope.ts";
import { handUpUnclaimed, unclaimedEnded } from "./unclaimed.ts";

/** Starts to note what frames begin. Needed once, before the first frame. */
export function startFrames(): Disposable {
  frameHooks.active = { untilLeft, callerFor, asCaller };
  return addInstrument({
    suspended: (waiter) => suspensionBegan(waiter as Begun, waiter.scope as Scope),
    resumed: (waiter) => ended(waiter as Begun, waiter.scope),
    // Tasks are waited for by who owns them.
    scopeOpened(scope) {
      if (scope.parent !== null && scope.task === scope.parent.task) began(scope as Begun, scope);
    },
    scopeClosed(scope) {
      ended(scope as Begun, scope.parent);
      handUpUnclaimed(scope);
      unclaimedEnded(scope);
    },
  });
}
