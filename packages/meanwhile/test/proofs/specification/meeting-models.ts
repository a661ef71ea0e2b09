// Models of what tasks wait at for each other.

import { leaveLine, type Next, oldest } from "./permit-models.ts";
import type { End, ThingModel } from "./two-steps.ts";

interface Flag {
  set: boolean;
  readonly line: number[];
}

/** Calls of an event. */
export type EventOp = "wait" | "set" | "clear" | "isSet";

/** An event: setting it lets everybody go on who waits then. */
export const flag: ThingModel<Flag, EventOp> = {
  initial: { set: false, line: [] },
  ask(state, op, actor, end) {
    if (op === "isSet") end(actor, state.set);
    else if (op === "wait") {
      if (state.set) end(actor, null);
      else state.line.push(actor);
    } else {
      state.set = op === "set";
      if (state.set) for (const waiting of state.line.splice(0)) end(waiting, null);
      end(actor, null);
    }
  },
  withdraw({ line }, actor, end) {
    if (leaveLine(line, actor)) end(actor, "cancelled");
  },
};

interface Meeting {
  broken: boolean;
  readonly line: number[];
}

/** Calls of a barrier. */
export type BarrierOp = "wait" | "abort" | "reset" | "waiting";

/** A barrier for so many. */
export function meeting(parties: number): ThingModel<Meeting, BarrierOp> {
  return {
    initial: { broken: false, line: [] },
    ask(state, op, actor, end) {
      const { line } = state;
      if (op === "waiting") end(actor, line.length);
      else if (op !== "wait") {
        state.broken = op === "abort";
        for (const waiting of line.splice(0)) end(waiting, "MW_ERR_BROKEN_BARRIER");
        end(actor, null);
      } else if (state.broken) end(actor, "MW_ERR_BROKEN_BARRIER");
      else {
        line.push(actor);
        if (line.length === parties) line.splice(0).forEach((passes, place) => end(passes, place));
      }
    },
    withdraw({ line }, actor, end) {
      if (leaveLine(line, actor)) end(actor, "cancelled");
    },
  };
}

interface Guarded {
  holder: number | null;
  /** Who waits for the lock, and what each gets when it holds it. */
  readonly lockLine: Array<{ readonly actor: number; readonly result: unknown }>;
  /** Who waits to be notified. */
  readonly line: number[];
}

/** Calls of a condition; a number notifies so many. */
export type ConditionOp = "acquire" | "release" | "wait" | number | "all";

/** A condition with its lock. */
export function guarded(next: Next = oldest): ThingModel<Guarded, ConditionOp> {
  const passOn = (state: Guarded, end: End): void => {
    const successor = state.lockLine.shift();
    state.holder = successor?.actor ?? null;
    if (successor !== undefined) end(successor.actor, successor.result);
  };
  const lineUp = (state: Guarded, actor: number, result: unknown, end: End): void => {
    state.lockLine.push({ actor, result });
    if (state.holder === null) passOn(state, end);
  };
  return {
    initial: { holder: null, lockLine: [], line: [] },
    ask(state, op, actor, end) {
      if (op === "acquire") {
        // It would wait for itself.
        if (state.holder === actor) end(actor, "held");
        else lineUp(state, actor, "held", end);
      } else if (state.holder !== actor) end(actor, op === "release" ? "none" : "MW_ERR_NOT_HELD");
      else if (op === "wait") {
        state.line.push(actor);
        passOn(state, end);
      } else if (op === "release") {
        passOn(state, end);
        end(actor, null);
      } else {
        for (let left = op === "all" ? Infinity : op; left > 0 && state.line.length > 0; left--) {
          lineUp(state, next(state.line) as number, null, end);
        }
        end(actor, null);
      }
    },
    withdraw(state, actor, end) {
      const place = state.lockLine.findIndex((each) => each.actor === actor);
      // Who waited to be notified takes the lock again first; who was notified gets it with what it waited for.
      if (leaveLine(state.line, actor)) lineUp(state, actor, "cancelled", end);
      else if (state.lockLine[place]?.result === "held") {
        state.lockLine.splice(place, 1);
        end(actor, "cancelled");
      }
    },
  };
}

interface Rate {
  now: number;
  readonly passes: number[];
  readonly line: number[];
}

/** Calls of a rate limiter, and the passing of a millisecond. */
export type RateOp = "acquire" | "tryAcquire" | "available" | "tick";

/** So many in any interval. */
export function rate(limit: number, intervalMs: number): ThingModel<Rate, RateOp> {
  const room = ({ now, passes }: Rate): number => limit - passes.filter((at) => at + intervalMs > now).length;
  return {
    initial: { now: 0, passes: [], line: [] },
    ask(state, op, actor, end) {
      if (op === "available") end(actor, room(state));
      else if (op === "tick") {
        state.now += 1;
        while (state.line.length > 0 && room(state) > 0) {
          state.passes.push(state.now);
          end(state.line.shift() as number, null);
        }
        end(actor, state.now);
      } else if (room(state) > 0) {
        state.passes.push(state.now);
        end(actor, op === "acquire" ? null : true);
      } else if (op === "acquire") state.line.push(actor);
      else end(actor, false);
    },
    withdraw({ line }, actor, end) {
      if (leaveLine(line, actor)) end(actor, "cancelled");
    },
  };
}
