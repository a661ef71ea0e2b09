// Connections that are not given back: found when nobody can reach them any more, reported with the line that acquired them.

import { lineOf, type Member, type Place } from "./member.ts";
import type { Members } from "./members.ts";
import type { Trace } from "./trace.ts";

/** What is left of one that nobody can give back any more. */
export interface Leftover {
  readonly member: Member;
  readonly members: Members;
  readonly trace: Trace;
}

const forgotten = new FinalizationRegistry<Leftover>(({ member, members, trace }) => {
  if (member.state !== "held") return;
  reportLeak(member.place, "nobody can reach it any more, so it was closed", trace);
  members.discard(member, "leaked");
});

/** Looks, from now on, whether the object is still there. */
export function watch(borrower: object, leftover: Leftover): void {
  forgotten.register(borrower, leftover, borrower);
}

/** It was given back. */
export function unwatch(borrower: object): void {
  forgotten.unregister(borrower);
}

/** Says where a connection was acquired that was not given back. */
export function reportLeak(place: Place, what: string, trace: Trace): void {
  const acquiredAt = lineOf(place);
  if (trace.isOn) trace.tell({ kind: "leaked", acquiredAt });
  process.emitWarning(
    `A connection of a pool was not given back: ${what}. It was acquired at ${acquiredAt}. Take it with "await using", or in pool.with()`,
    { type: "MeanwhileWarning", code: "MW_WARN_PG_LEAKED" },
  );
}
