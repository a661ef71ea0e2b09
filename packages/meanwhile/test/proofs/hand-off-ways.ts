// How one who waits can be cancelled: each way runs the call somewhere in the tree of scopes and knows how to reach it.

import {
  cancelScope,
  type CancelScope,
  CancelledError,
  coroutine,
  createTask,
  gather,
  shield,
  TaskCancelledError,
  taskGroup,
  type TaskGroup,
  timeoutAt,
  TimeoutError,
} from "meanwhile";

/** Somebody who waits, and how to reach them. */
export interface Started {
  /** Settles when everything around the call has been left. */
  readonly ended: PromiseLike<unknown>;
  /** Cancels the wait, where {@link Way.heldBack} does not say otherwise. */
  cancel(): void;
  /** Ends the wait in any case. */
  end(): void;
}

/** One way to be cancelled. */
export interface Way {
  readonly start: (call: () => Promise<void>) => Started;
  /** Whether the cancellation is held back: the call goes on waiting. */
  readonly heldBack?: boolean;
  /** Whether the call begins in a later microtask. */
  readonly startsLate?: boolean;
  /** What comes out if the call was cancelled. Default: nothing, the scope absorbs it. */
  readonly throws?: new (...args: never[]) => Error;
}

// The bodies start at once, so what they assign is there when the call returns.
function inScope(call: () => Promise<void>): Started {
  let scope!: CancelScope;
  const ended = cancelScope((own) => {
    scope = own;
    return call();
  });
  return both(ended, () => scope.cancel("race"));
}

function both(ended: PromiseLike<unknown>, cancel: () => void): Started {
  return { ended, cancel, end: cancel };
}

function inOuterScope(call: () => Promise<void>): Started {
  return inScope(() => inScope(() => inScope(call).ended as Promise<void>).ended as Promise<void>);
}

function inInnerScope(call: () => Promise<void>): Started {
  let inner!: Started;
  const ended = cancelScope(() => {
    inner = inScope(call);
    return inner.ended;
  });
  return both(ended, () => inner.cancel());
}

// The outer cancellation comes second, in the same turn, and replaces the inner one.
function inBothScopes(call: () => Promise<void>): Started {
  let inner!: Started;
  const outer = inScope(() => {
    inner = inScope(call);
    return inner.ended as Promise<void>;
  });
  return both(outer.ended, () => {
    inner.cancel();
    outer.cancel();
  });
}

function asTask(call: () => Promise<void>): Started {
  const task = createTask(call);
  return both(task, () => task.cancel("race"));
}

function inGroup(call: () => Promise<void>): Started {
  let group!: TaskGroup;
  const ended = taskGroup((own) => {
    group = own;
    own.createTask(call);
  });
  return both(ended, () => group.cancel("race"));
}

function behindShield(call: () => Promise<void>): Started {
  let inner!: CancelScope;
  const outer = inScope(() =>
    shield((own) => {
      inner = own;
      return call();
    }),
  );
  return {
    ended: outer.ended,
    cancel: () => outer.cancel(),
    end() {
      inner.cancel("the race is over");
      outer.cancel();
    },
  };
}

function bySignal(call: () => Promise<void>): Started {
  const controller = new AbortController();
  const ended = cancelScope(() => call(), { signal: controller.signal });
  return both(ended, () => controller.abort());
}

/** The ways to be cancelled in the same turn. */
export const WAYS: readonly Way[] = [
  { start: inScope },
  { start: inOuterScope },
  { start: inInnerScope },
  { start: inBothScopes },
  { start: asTask, throws: TaskCancelledError, startsLate: true },
  { start: inGroup, startsLate: true },
  { start: (call) => inScope(() => gather([call]) as unknown as Promise<void>) },
  { start: (call) => inScope(() => coroutine(call)()), startsLate: true },
  { start: behindShield, heldBack: true },
  { start: bySignal, throws: CancelledError },
];

/** The way to be cancelled by the clock, at `deadline`. */
export function byTimeout(deadline: number): Way {
  return {
    start(call) {
      let scope!: CancelScope;
      const ended = timeoutAt(deadline, (own) => {
        scope = own;
        return call();
      });
      return both(ended, () => scope.cancel("the race is over"));
    },
    throws: TimeoutError,
  };
}
