// The strip above the timeline: the whole run at a glance, with the part in sight marked on it.

import type { Lane } from "../../../src/timeline/lane.ts";
import type { Palette } from "../../../src/timeline/palette.ts";
import type { RunHistory } from "../../../src/timeline/run-history.ts";
import type { Span } from "../../../src/timeline/time-scale.ts";

/** In pixels. */
export const OVERVIEW = 46;
const BUCKETS = 400;

/** How many tasks there were, and how many of them ran, in equal parts of the run. */
export interface Load {
  readonly span: Span;
  readonly alive: Float64Array;
  readonly running: Float64Array;
  readonly most: number;
}

/** Counts them. */
export function loadOf(history: RunHistory): Load {
  const { startMs: fromMs, nowMs } = history;
  const span = { fromMs, toMs: Math.max(nowMs, fromMs + 0.001) };
  const alive = new Float64Array(BUCKETS);
  const running = new Float64Array(BUCKETS);
  for (const lane of history.lanes.values()) {
    const end = lane.endedAtMs ?? span.toMs;
    add(alive, span, lane.createdAtMs, end);
    addRunning(running, span, lane, end);
  }
  return { span, alive, running, most: alive.reduce((most, value) => Math.max(most, value), 1) };
}

function addRunning(buckets: Float64Array, span: Span, { createdAtMs, edges }: Lane, end: number): void {
  let since = createdAtMs;
  for (let at = 0; at < edges.length; at += 2) {
    add(buckets, span, since, edges[at] ?? end);
    since = edges[at + 1] ?? end;
  }
  add(buckets, span, since, end);
}

/** Adds a time to the parts it lies in, to each as much as it covers of it. */
function add(buckets: Float64Array, { fromMs, toMs }: Span, startMs: number, endMs: number): void {
  const perMs = BUCKETS / (toMs - fromMs);
  const start = Math.max(0, (startMs - fromMs) * perMs);
  const end = Math.min(BUCKETS, (endMs - fromMs) * perMs);
  for (let at = Math.floor(start); at < end; at += 1) {
    buckets[at] = (buckets[at] ?? 0) + Math.min(end, at + 1) - Math.max(start, at);
  }
}

/** What is drawn. */
export interface OverviewPicture {
  readonly width: number;
  /** How wide the names below are: times stand above each other. */
  readonly gutter: number;
  readonly load: Load;
  readonly history: RunHistory;
  readonly view: Span;
  readonly palette: Palette;
}

/** Draws the strip. */
export function paintOverview(context: CanvasRenderingContext2D, picture: OverviewPicture): void {
  const { width, gutter, load, history, palette } = picture;
  context.fillStyle = palette.raised;
  context.fillRect(0, 0, width, OVERVIEW);
  const perMs = (width - gutter) / Math.max(0.001, history.nowMs - history.startMs);
  const x = (atMs: number): number => gutter + (atMs - history.startMs) * perMs;
  context.fillStyle = palette.muted;
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.fillText(`at most ${Math.round(load.most)} alive`, 16, OVERVIEW / 2);
  paintArea(context, load.alive, load, palette.waiting, x);
  paintArea(context, load.running, load, palette.running, x);
  context.fillStyle = palette.blocked;
  for (const { startedAtMs, durationMs } of history.blocks.values()) {
    context.fillRect(x(startedAtMs), 0, Math.max(2, x(startedAtMs + durationMs) - x(startedAtMs)), 5);
  }
  paintWindow(context, picture, x(picture.view.fromMs), x(picture.view.toMs));
}

function paintArea(
  context: CanvasRenderingContext2D,
  values: Float64Array,
  { span, most }: Load,
  colour: string,
  x: (atMs: number) => number,
): void {
  const step = (span.toMs - span.fromMs) / BUCKETS;
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x(span.fromMs), OVERVIEW);
  for (const [at, value] of values.entries()) {
    const y = OVERVIEW - (value / most) * (OVERVIEW - 8);
    context.lineTo(x(span.fromMs + at * step), y);
    context.lineTo(x(span.fromMs + (at + 1) * step), y);
  }
  context.lineTo(x(span.toMs), OVERVIEW);
  context.fill();
}

function paintWindow(context: CanvasRenderingContext2D, { width, gutter, palette }: OverviewPicture, from: number, to: number): void {
  const end = Math.max(to, from + 3);
  context.fillStyle = `${palette.background}a8`;
  context.fillRect(gutter, 0, from - gutter, OVERVIEW);
  context.fillRect(end, 0, width - end, OVERVIEW);
  context.strokeStyle = palette.accent;
  context.lineWidth = 2;
  context.strokeRect(from + 1, 1, end - from - 2, OVERVIEW - 2);
}
