// Which part of the time is in sight, and how it is moved. Pure: the canvas and the keys only call it.

import type { Span } from "../../../src/timeline/time-scale.ts";

/** Nobody needs to look closer. */
const SHORTEST_MS = 0.01;

/** The part in sight; while it follows, the end moves on with the time. */
export interface Viewport extends Span {
  /** Whether all of the run is in sight, however long it gets. */
  readonly isAll: boolean;
}

/** All of it. */
export function wholeOf(all: Span): Viewport {
  return { fromMs: all.fromMs, toMs: Math.max(all.toMs, all.fromMs + 1), isAll: true };
}

/** Closer (a factor below 1) or farther, with the moment `aroundMs` kept in its place. */
export function zoomed(view: Span, factor: number, aroundMs: number, all: Span): Viewport {
  const fromMs = aroundMs - (aroundMs - view.fromMs) * factor;
  const toMs = aroundMs + (view.toMs - aroundMs) * factor;
  return within({ fromMs, toMs }, all);
}

/** To the left or right, in parts of what is in sight. */
export function panned(view: Span, part: number, all: Span): Viewport {
  const step = (view.toMs - view.fromMs) * part;
  return within({ fromMs: view.fromMs + step, toMs: view.toMs + step }, all);
}

/** The part between two moments, in any order, no shorter than can be seen and not beyond the run. */
export function within(span: Span, all: Span): Viewport {
  const whole = wholeOf(all);
  const length = Math.max(SHORTEST_MS, Math.abs(span.toMs - span.fromMs));
  if (length >= whole.toMs - whole.fromMs) return whole;
  const from = Math.min(span.fromMs, span.toMs);
  const fromMs = Math.min(Math.max(from, whole.fromMs), whole.toMs - length);
  return { fromMs, toMs: fromMs + length, isAll: false };
}
