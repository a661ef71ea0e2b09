// Statements that take time, fail, and make or cancel scopes.

import {
  cancellable,
  cancelScope,
  type CancelScope,
  checkpoint,
  moveOnAfter,
  now,
  shield,
  sleep,
  timeout,
  TimeoutError,
} from "meanwhile";
import { cancellationOf } from "meanwhile/lowlevel";

import type { Handlers, Machine, Step } from "./machine.ts";
import type { Body } from "./statements.ts";

/** How something ended. */
type Outcome = { readonly kind: "value" } | { readonly kind: "error"; readonly error: unknown };

async function outcomeOf(going: PromiseLike<unknown>): Promise<Outcome> {
  try {
    await going;
    return { kind: "value" };
  } catch (error) {
    return { kind: "error", error };
  }
}

/** A call that runs a body in a scope. */
interface ScopeCall {
  readonly call: string;
  readonly enter: (body: (scope: CancelScope) => Promise<void>) => Promise<unknown>;
  /** When the scope cancels itself. */
  readonly deadline: number;
  /** What becomes of its own cancellation. */
  readonly ownIs: "absorbed" | "a TimeoutError";
  /** Whether what is in the body can cancel the scope. */
  readonly open: boolean;
  readonly shielded?: boolean;
}

/** Runs a body in a scope; the call must end as the body did, but for the cancellation of the scope. */
async function inScope({ machine, around }: Step, body: Body, how: ScopeCall): Promise<void> {
  let inner: Outcome | null = null;
  let entered: CancelScope | null = null;
  const outer = await outcomeOf(
    how.enter(async (scope) => {
      entered = scope;
      const inside = how.open ? { ...around, scopes: [...around.scopes, scope] } : around;
      inner = await outcomeOf(machine.run(body, inside));
      if (inner.kind === "error") throw inner.error;
    }),
  );
  if (inner === null || entered === null) machine.ledger.violated(`${how.call} ended before its body`);
  else checkEnding(machine, how, entered, inner, outer);
  if (outer.kind === "error") throw outer.error;
}

function checkEnding({ ledger }: Machine, how: ScopeCall, scope: CancelScope, inner: Outcome, outer: Outcome): void {
  const { call, deadline, ownIs } = how;
  const isTimeout = outer.kind === "error" && outer.error instanceof TimeoutError;
  if (inner.kind === "value") {
    if (outer.kind !== "value") ledger.violated(`${call} threw although its body returned`);
  } else if (cancellationOf(inner.error) === null) {
    if (outer.kind === "value" || cancellationOf(outer.error) !== null)
      ledger.violated(`${call} lost the error of its body`);
  } else if (ledger.isCancelledHere() && how.shielded !== true) {
    // Cancelled from outside; since when cannot be told, so it may as well have been its own.
    if (!isTimeout && outer.kind === "error" && cancellationOf(outer.error) === null) {
      ledger.violated(`${call} made something else of a cancellation`);
    }
  } else {
    if (!scope.cancelled) ledger.violated(`${call} ended its body although nobody cancelled it`);
    const isAsExpected = ownIs === "absorbed" ? outer.kind === "value" : isTimeout;
    if (!isAsExpected) ledger.violated(`${call} did not make ${ownIs} of its own cancellation`);
    if (ownIs !== "absorbed" && now() < deadline) ledger.violated(`${call} is over ${deadline - now()} ms early`);
  }
}

/** Statements of this file. */
export const SCOPES: Handlers<
  | "sleep"
  | "checkpoint"
  | "foreign"
  | "fail"
  | "block"
  | "swallow"
  | "timeout"
  | "moveOnAfter"
  | "shield"
  | "cancelScope"
  | "cancel"
> = {
  async sleep({ machine, number }) {
    const until = now() + number(0);
    await machine.perform("sleep", () => sleep(number(0)), "time");
    if (now() < until) machine.ledger.violated(`a sleep ended ${until - now()} ms early`);
  },

  checkpoint: ({ machine }) => machine.perform("checkpoint", checkpoint, "time"),

  foreign: ({ machine }) => machine.perform("cancellable", () => cancellable(Promise.resolve()), "time"),

  async fail({ machine }) {
    throw machine.ledger.newFault();
  },

  async block(step) {
    const { machine, around, number, body } = step;
    const block = machine.ledger.enter();
    await using cleanup = {
      async [Symbol.asyncDispose](): Promise<void> {
        machine.ledger.leave(block);
        if (number(0) === 0) await machine.run(body(1), around);
        else await shielded(step, body(1), number(0));
      },
    };
    await machine.run(body(0), around);
    void cleanup;
  },

  async swallow({ machine, around, body }) {
    try {
      await machine.run(body(0), around);
    } catch (error) {
      machine.ledger.told(error);
    }
    if (!machine.ledger.isCancelledHere()) return;
    const again = await outcomeOf(checkpoint());
    if (again.kind === "value") machine.ledger.violated("a swallowed cancellation does not come again");
  },

  timeout: (step) =>
    inScope(step, step.body(0), {
      call: "timeout",
      enter: (body) => timeout(step.number(0), body),
      deadline: now() + step.number(0),
      ownIs: "a TimeoutError",
      open: false,
    }),

  moveOnAfter: (step) =>
    inScope(step, step.body(0), {
      call: "moveOnAfter",
      enter: (body) => moveOnAfter(step.number(0), body),
      deadline: now() + step.number(0),
      ownIs: "absorbed",
      open: true,
    }),

  shield: (step) => shielded(step, step.body(0), step.number(0)),

  cancelScope: (step) =>
    inScope(step, step.body(0), {
      call: "cancelScope",
      enter: (body) => cancelScope(body),
      deadline: Infinity,
      ownIs: "absorbed",
      open: true,
    }),

  async cancel({ machine, around, number }) {
    const { scopes } = around;
    if (scopes.length === 0) return;
    const scope = scopes[scopes.length - 1 - (number(0) % scopes.length)];
    scope?.cancel("the program says so");
    machine.ledger.isCancelledHere();
  },
};

function shielded(step: Step, body: Body, timeoutMs: number): Promise<void> {
  return inScope(step, body, {
    call: "shield",
    enter: (inside) => shield(inside, { timeoutMs }),
    deadline: now() + timeoutMs,
    ownIs: "a TimeoutError",
    open: false,
    shielded: true,
  });
}
