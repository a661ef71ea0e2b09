// Draws what a task did: a line in pieces, and in the long ones what was waited for.

import type { Lane } from "../../../src/timeline/lane.ts";
import type { RunHistory } from "../../../src/timeline/run-history.ts";
import { eachSegment } from "../../../src/timeline/segments.ts";
import { BAR, type Picture, xOf } from "./picture.ts";

/** About as wide as a letter. */
const LETTER = 6.4;

/** Draws the line of a task. */
export function paintBars(context: CanvasRenderingContext2D, picture: Picture, lane: Lane, y: number): void {
  const { view, history, palette, width, gutter } = picture;
  const resolutionMs = (view.toMs - view.fromMs) / (width - gutter);
  const texts: Array<[x: number, room: number, atMs: number]> = [];
  eachSegment(lane, { ...view, nowMs: history.nowMs, resolutionMs }, (kind, fromMs, toMs) => {
    const x = xOf(picture, fromMs);
    const long = xOf(picture, toMs) - x;
    context.fillStyle = palette[kind];
    context.fillRect(x, y, Math.max(1, long), BAR);
    if (kind === "waiting" && long > 70) texts.push([x, long, fromMs]);
  });
  context.fillStyle = palette.unknown;
  for (let at = 0; at < lane.unknown.length; at += 2) {
    const x = xOf(picture, lane.unknown[at] ?? 0);
    context.fillRect(x, y, Math.max(1, xOf(picture, lane.unknown[at + 1] ?? 0) - x), BAR);
  }
  context.fillStyle = palette.text;
  context.textAlign = "left";
  for (const [x, room, atMs] of texts) paintReason(context, history, lane, { x, room, atMs, y });
}

interface ReasonPlace {
  readonly x: number;
  readonly y: number;
  readonly room: number;
  readonly atMs: number;
}

function paintReason(context: CanvasRenderingContext2D, history: RunHistory, lane: Lane, place: ReasonPlace): void {
  const { x, y, room, atMs } = place;
  const text = history.texts.text(reasonFrom(lane, atMs));
  const most = Math.floor((room - 10) / LETTER);
  const shown = text.length <= most ? text : `${text.slice(0, Math.max(0, most - 1))}…`;
  context.save();
  context.font = "11px system-ui, sans-serif";
  context.globalAlpha = 0.85;
  context.fillText(shown, Math.max(x, 0) + 5, y + BAR / 2 + 0.5);
  context.restore();
}

/** The reason of the wait at a moment, also at its very first. */
function reasonFrom(lane: Lane, atMs: number): number {
  let low = 0;
  let high = lane.reasons.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((lane.edges[middle * 2] ?? 0) <= atMs) low = middle;
    else high = middle - 1;
  }
  return lane.reasons[low] ?? -1;
}
