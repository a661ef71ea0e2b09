// What the keys do to the timeline.

import type { Timeline } from "./timeline.ts";

/** What a key may change beside the timeline. */
export interface KeyTarget {
  readonly task: number | null;
  readonly select: (task: number | null) => void;
  /** Brings a row into sight. */
  readonly reveal: (row: number) => void;
}

/** Does what a key stands for; false if it stands for nothing. */
export function onKey(
  { key, ctrlKey, metaKey, altKey }: KeyboardEvent,
  timeline: Timeline,
  target: KeyTarget,
): boolean {
  if (ctrlKey || metaKey || altKey) return false;
  const action = ACTIONS[key];
  if (action === undefined) return false;
  action(timeline, target);
  return true;
}

type Action = (timeline: Timeline, target: KeyTarget) => void;

const ACTIONS: Readonly<Partial<Record<string, Action>>> = {
  ArrowDown: (timeline, target) => step(timeline, target, 1),
  ArrowUp: (timeline, target) => step(timeline, target, -1),
  PageDown: (timeline, target) => step(timeline, target, 20),
  PageUp: (timeline, target) => step(timeline, target, -20),
  Home: (timeline, target) => step(timeline, target, -Infinity),
  End: (timeline, target) => step(timeline, target, Infinity),
  ArrowLeft: (timeline) => timeline.pan(-0.1),
  ArrowRight: (timeline) => timeline.pan(0.1),
  "+": (timeline) => timeline.zoom(0.7),
  "=": (timeline) => timeline.zoom(0.7),
  "-": (timeline) => timeline.zoom(1 / 0.7),
  "0": (timeline) => timeline.showAll(),
  " ": (timeline, { task }) => {
    if (task !== null) timeline.toggle(task);
  },
  Escape: (_, { select }) => select(null),
};

function step({ rows }: Timeline, { task, select, reveal }: KeyTarget, by: number): void {
  const at = rows.findIndex(({ lane }) => lane.id === task);
  const next = Math.min(rows.length - 1, Math.max(0, at + by));
  const row = rows[next];
  if (row === undefined) return;
  select(row.lane.id);
  reveal(next);
}
