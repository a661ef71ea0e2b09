// Models of what gives out permits.

import type { End, ThingModel } from "./two-steps.ts";

/** Takes an actor out of a line; false if it is not in it. */
export function leaveLine(line: number[], actor: number): boolean {
  const place = line.indexOf(actor);
  if (place !== -1) line.splice(place, 1);
  return place !== -1;
}

/** What is given to whoever holds a permit. */
export const HELD = "held";

/** Who is served of those who wait. */
export type Next = (line: number[]) => number | undefined;

/** The one who has waited longest. */
export const oldest: Next = (line) => line.shift();

/** The one who came last: a mistake. */
export const newest: Next = (line) => line.pop();

interface Permits {
  free: number;
  readonly line: number[];
  /** How many permits each actor has. */
  readonly held: number[];
}

/** Calls of a semaphore; a lock has the first three. */
export type PermitOp = "acquire" | "tryAcquire" | "release" | "add" | "free";

function addPermit(state: Permits, next: Next, end: End): void {
  const actor = next(state.line);
  if (actor === undefined) state.free += 1;
  else {
    state.held[actor] = (state.held[actor] ?? 0) + 1;
    end(actor, HELD);
  }
}

/**
 * A semaphore, or with one permit a lock.
 *
 * @param most - how many permits there may be: giving back one more is an error
 */
export function permits(count: number, most: number = Infinity, next: Next = oldest): ThingModel<Permits, PermitOp> {
  const giveBack = (state: Permits, actor: number, end: End): void => {
    if (state.free >= most) end(actor, "MW_ERR_NOT_HELD");
    else {
      addPermit(state, next, end);
      end(actor, null);
    }
  };
  return {
    initial: { free: count, line: [], held: [] },
    ask(state, op, actor, end) {
      const own = state.held[actor] ?? 0;
      if (op === "free") end(actor, state.free);
      else if (op === "add") giveBack(state, actor, end);
      else if (op === "release") {
        if (own === 0) {
          end(actor, "none");
          return;
        }
        state.held[actor] = own - 1;
        giveBack(state, actor, end);
      } else if (state.free > 0) {
        state.free -= 1;
        state.held[actor] = own + 1;
        end(actor, HELD);
      } else if (op === "tryAcquire") end(actor, null);
      else state.line.push(actor);
    },
    withdraw(state, actor, end) {
      if (leaveLine(state.line, actor)) end(actor, "cancelled");
    },
  };
}

interface Tokens {
  total: number;
  readonly borrowers: number[];
  readonly line: number[];
}

/** Calls of a capacity limiter; a number sets how many tokens there are. */
export type TokenOp = "acquire" | "tryAcquire" | "release" | "available" | number;

/** @param letsIn - whether those who wait are let in when there are more tokens */
export function tokens(count: number, letsIn: boolean = true): ThingModel<Tokens, TokenOp> {
  const letIn = ({ borrowers, line, total }: Tokens, end: End): void => {
    while (borrowers.length < total && line.length > 0) {
      const actor = line.shift() as number;
      borrowers.push(actor);
      end(actor, HELD);
    }
  };
  return {
    initial: { total: count, borrowers: [], line: [] },
    ask(state, op, actor, end) {
      const { borrowers, line } = state;
      if (op === "available") end(actor, Math.max(0, state.total - borrowers.length));
      else if (typeof op === "number") {
        state.total = op;
        if (letsIn) letIn(state, end);
        end(actor, null);
      } else if (op === "release") {
        end(actor, leaveLine(borrowers, actor) ? null : "none");
        letIn(state, end);
      } else if (borrowers.includes(actor)) end(actor, "MW_ERR_ALREADY_HELD");
      else if (borrowers.length < state.total) {
        borrowers.push(actor);
        end(actor, HELD);
      } else if (op === "tryAcquire") end(actor, null);
      else line.push(actor);
    },
    withdraw({ line }, actor, end) {
      if (leaveLine(line, actor)) end(actor, "cancelled");
    },
  };
}
