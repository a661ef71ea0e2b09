// What a task does, in words.

import type { OpenScope } from "meanwhile/diagnostics";

import type { Lane } from "../../../src/timeline/lane.ts";
import type { RunHistory } from "../../../src/timeline/run-history.ts";
import { durationText } from "../../../src/timeline/time-scale.ts";

/** Like `waits for Lock.acquire since 2 s`, `runs`, or `failed`. */
export function laneStateText(lane: Lane, { texts, nowMs }: RunHistory): string {
  if (lane.isGone) return "gone; its end was not seen";
  if (lane.outcome !== null) return lane.outcome;
  const cancelled = lane.cancels.length > 0 ? "cancelled, " : "";
  if (lane.waitingSinceMs === null) return `${cancelled}runs`;
  const reason = texts.text(lane.lastReason) || "something";
  return `${cancelled}waits for ${reason}, ${durationText(Math.max(0, nowMs - lane.waitingSinceMs))}`;
}

/** What is around a wait, like `deadline in 2 s`; empty if it changes nothing. */
export function scopeText({ deadlineAtMs, shielded, cancelled }: OpenScope, nowMs: number): string {
  const parts = [
    ...(cancelled ? ["cancelled scope"] : []),
    ...(shielded ? ["shield"] : []),
    ...(deadlineAtMs === null || cancelled ? [] : [`deadline in ${durationText(Math.max(0, deadlineAtMs - nowMs))}`]),
  ];
  return parts.join(", ");
}

/** The class of that state, for its colour. */
export function laneStateClass(lane: Lane): string {
  if (lane.outcome !== null) return lane.outcome;
  if (lane.isGone) return "gone";
  return lane.waitingSinceMs === null ? "running" : "waiting";
}
