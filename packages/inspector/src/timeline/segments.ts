// A lane as coloured pieces of a line, no matter how much happens in it: never more pieces than there are pixels.

import type { TimeMs } from "meanwhile/diagnostics";

import { firstAfter, type Lane } from "./lane.ts";
import type { Span } from "./time-scale.ts";

/** What a piece shows; `mixed` stands for waiting and running in turns, too fast to be seen apart. */
type SegmentKind = "running" | "waiting" | "mixed";

/** Is told a piece. */
export type SegmentSink = (kind: SegmentKind, fromMs: TimeMs, toMs: TimeMs) => void;

/** How a lane is looked at. */
export interface SegmentView extends Span {
  /** Pieces that are shorter become part of a `mixed` one; in milliseconds. */
  readonly resolutionMs: number;
  /** What a task is drawn to that has not ended. */
  readonly nowMs: TimeMs;
}

/** Tells the pieces of a lane, from left to right; neighbours are of different kinds. */
export function eachSegment(lane: Lane, view: SegmentView, sink: SegmentSink): void {
  const end = Math.min(view.toMs, lane.endedAtMs ?? view.nowMs);
  let at = Math.max(view.fromMs, lane.createdAtMs);
  let edge = firstAfter(lane.edges, at);
  let kind: SegmentKind | null = null;
  let since = at;
  while (at < end) {
    let next = Math.min(lane.edges[edge] ?? end, end);
    let found: SegmentKind = edge % 2 === 1 ? "waiting" : "running";
    if (next - at < view.resolutionMs && next < end) {
      next = Math.min(at + view.resolutionMs, end);
      found = "mixed";
      edge = firstAfter(lane.edges, next);
    } else edge += 1;
    if (found !== kind) {
      if (kind !== null) sink(kind, since, at);
      kind = found;
      since = at;
    }
    at = next;
  }
  if (kind !== null) sink(kind, since, at);
}
