// Is there an order of calls, one after the other, that explains what was seen? Wing and Gong's search, with the states that
// were seen before left out.

import { isDeepStrictEqual } from "node:util";

/** A call as it was seen. */
export interface SeenCall<Call> {
  readonly actor: number;
  readonly call: Call;
  /** When it was made, on a scale that all calls share. */
  readonly start: number;
  /** When it ended; `Infinity` if it never did. */
  readonly end: number;
  /** What it returned, if it has ended. */
  readonly result?: unknown;
}

/** A thing to which one call happens after the other. */
export interface Model<State, Call> {
  /** The state before the first call. Something that `JSON.stringify` tells apart; never changed. */
  readonly initial: State;
  /** The state after a call and what the call returns; null if the call has to wait in this state. */
  readonly step: (
    state: State,
    call: Call,
    actor: number,
  ) => { readonly state: State; readonly result: unknown } | null;
}

/**
 * Finds an order in which the calls that have ended could have happened: each somewhere between its start and its end, each
 * with the result it had, and so that in the last state all calls that have not ended have to wait. Null if there is none.
 */
export function linearize<State, Call>(
  seen: ReadonlyArray<SeenCall<Call>>,
  { initial, step }: Model<State, Call>,
): ReadonlyArray<SeenCall<Call>> | null {
  const ended = seen.filter(({ end }) => end !== Infinity);
  const waiting = seen.filter(({ end }) => end === Infinity);
  const deadEnds = new Set<string>();
  const find = (state: State, left: ReadonlyArray<SeenCall<Call>>): ReadonlyArray<SeenCall<Call>> | null => {
    if (left.length === 0) return waiting.every(({ call, actor }) => step(state, call, actor) === null) ? [] : null;
    const position = JSON.stringify([left.map((one) => ended.indexOf(one)), state]);
    if (deadEnds.has(position)) return null;
    const firstEnd = Math.min(...left.map(({ end }) => end));
    for (const next of left.filter(({ start }) => start < firstEnd)) {
      const after = step(state, next.call, next.actor);
      if (after === null || !isDeepStrictEqual(after.result, next.result)) continue;
      const rest = find(
        after.state,
        left.filter((one) => one !== next),
      );
      if (rest !== null) return [next, ...rest];
    }
    deadEnds.add(position);
    return null;
  };
  return find(initial, ended);
}
