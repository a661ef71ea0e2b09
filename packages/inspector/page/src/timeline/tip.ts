// What is said beside the pointer: which task, and what it did at that moment.

import { reasonAt, stateAt } from "../../../src/timeline/lane.ts";
import { durationText } from "../../../src/timeline/time-scale.ts";
import { laneStateText } from "../views/state-text.ts";
import type { Timeline } from "./timeline.ts";

/** A text, and where in the window it stands. */
export interface Tip {
  readonly x: number;
  readonly y: number;
  readonly isLeft: boolean;
  readonly text: string;
}

/** What to say about a place of the timeline; null for nothing. */
export function tipAt(timeline: Timeline, x: number, y: number, box: DOMRect): Tip | null {
  const text = tipText(timeline, x, y);
  if (text === null) return null;
  return { x: box.left + x, y: box.top + y + 18, isLeft: x > box.width * 0.6, text };
}

function tipText(timeline: Timeline, x: number, y: number): string | null {
  const row = timeline.rowAt(y);
  if (row === undefined) return null;
  const { history } = timeline.model;
  const { lane } = row;
  if (x < timeline.gutter) return `${lane.name} #${lane.id}: ${laneStateText(lane, history)}`;
  const atMs = timeline.timeAt(x);
  const state = stateAt(lane, atMs);
  const when = durationText(atMs - history.startMs);
  const reason = history.texts.text(reasonAt(lane, atMs));
  const does = { none: "", running: "runs", waiting: `waits for ${reason || "something"}`, unknown: "not recorded" }[
    state
  ];
  return [`${lane.name} #${lane.id}`, does, `at ${when}`].filter((part) => part !== "").join(" · ");
}
