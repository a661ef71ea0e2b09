// The strip above the timeline: the whole run at a glance, with the part in sight marked on it.

import type { LoadCurve } from "../../../src/timeline/load-curve.ts";
import type { Palette } from "../../../src/timeline/palette.ts";
import type { RunHistory } from "../../../src/timeline/run-history.ts";
import type { Span } from "../../../src/timeline/time-scale.ts";

/** In pixels. */
export const OVERVIEW = 46;
/** The frame around what is in sight, which must hide nothing. */
const EDGE = 3;
/** What is drawn. */
export interface OverviewPicture {
  readonly width: number;
  /** How wide the names below are: times stand above each other. */
  readonly gutter: number;
  readonly history: RunHistory;
  readonly view: Span;
  readonly palette: Palette;
}

/** Draws the strip. */
export function paintOverview(context: CanvasRenderingContext2D, picture: OverviewPicture): void {
  const { width, gutter, history, palette } = picture;
  context.fillStyle = palette.raised;
  context.fillRect(0, 0, width, OVERVIEW);
  const perMs = (width - gutter) / Math.max(0.001, history.nowMs - history.startMs);
  const x = (atMs: number): number => gutter + (atMs - history.startMs) * perMs;
  const most = history.alive.values().reduce((max, value) => Math.max(max, value), 1);
  context.fillStyle = palette.muted;
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.fillText(`at most ${Math.ceil(most - 0.01).toLocaleString("en")} alive`, 16, OVERVIEW / 2);
  paintArea(context, history.alive, { most, nowMs: history.nowMs, colour: palette.waiting, x });
  paintArea(context, history.running, { most, nowMs: history.nowMs, colour: palette.running, x });
  context.fillStyle = palette.blocked;
  for (const { startedAtMs, durationMs } of history.blocks.values()) {
    context.fillRect(x(startedAtMs), 0, Math.max(2, x(startedAtMs + durationMs) - x(startedAtMs)), 5);
  }
  paintWindow(context, picture, x(picture.view.fromMs), x(picture.view.toMs));
}

interface Area {
  readonly most: number;
  readonly nowMs: number;
  readonly colour: string;
  readonly x: (atMs: number) => number;
}

function paintArea(context: CanvasRenderingContext2D, curve: LoadCurve, { most, nowMs, colour, x }: Area): void {
  const bottom = OVERVIEW - EDGE;
  const y = (value: number): number => bottom - (Math.max(0, value) / most) * (bottom - 8);
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(x(curve.fromMs), bottom);
  for (const [part, value] of curve.values().entries()) {
    const fromMs = curve.fromMs + part * curve.partMs;
    if (fromMs >= nowMs) break;
    context.lineTo(x(fromMs), y(value));
    context.lineTo(x(Math.min(nowMs, fromMs + curve.partMs)), y(value));
  }
  // Since the last change it is as it was then.
  if (curve.fromMs + curve.length * curve.partMs < nowMs) context.lineTo(x(nowMs), y(curve.last));
  context.lineTo(x(nowMs), bottom);
  context.fill();
}

function paintWindow(
  context: CanvasRenderingContext2D,
  { width, gutter, palette }: OverviewPicture,
  from: number,
  to: number,
): void {
  const end = Math.max(to, from + 3);
  context.fillStyle = `${palette.background}a8`;
  context.fillRect(gutter, 0, from - gutter, OVERVIEW);
  context.fillRect(end, 0, width - end, OVERVIEW);
  context.strokeStyle = palette.accent;
  context.lineWidth = 2;
  context.strokeRect(from + 1, 1, end - from - 2, OVERVIEW - 2);
}
