// Draws the lines of the timeline that are in sight: names on the left, what the tasks did on the right.

import type { Block } from "meanwhile/diagnostics";

import type { LaneRow } from "../../../src/timeline/lane-order.ts";
import { durationText, type Span, ticksOf } from "../../../src/timeline/time-scale.ts";
import { paintBars } from "./bars.ts";
import { AXIS, BAR, type Picture, ROW, xOf } from "./picture.ts";

const FONT = "12px system-ui, sans-serif";
/** Draws it all. */
export function paint(context: CanvasRenderingContext2D, picture: Picture): void {
  const { width, height, palette, scrollTop, rows } = picture;
  context.fillStyle = palette.background;
  context.fillRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  const first = Math.floor(scrollTop / ROW);
  const last = Math.min(rows.length, Math.ceil((scrollTop + height - AXIS) / ROW));
  const blocks = blocksByTask(picture);
  paintGrid(context, picture);
  clip(context, [0, AXIS, width, height - AXIS], () => {
    for (let at = first; at < last; at += 1) {
      const row = rows[at];
      if (row !== undefined) paintRow(context, picture, row, AXIS + at * ROW - scrollTop, blocks.get(row.lane.id));
    }
  });
  paintBands(context, picture, AXIS + rows.length * ROW - scrollTop);
  clip(context, [0, AXIS, picture.gutter - 8, height - AXIS], () => {
    for (let at = first; at < last; at += 1) {
      const row = rows[at];
      if (row !== undefined) paintName(context, picture, row, AXIS + at * ROW - scrollTop);
    }
  });
}

function clip(
  context: CanvasRenderingContext2D,
  [x, y, width, height]: [number, number, number, number],
  draw: () => void,
) {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  draw();
  context.restore();
}

function blocksByTask({ history, view }: Picture): Map<number, Block[]> {
  const byTask = new Map<number, Block[]>();
  for (const block of history.blocks.values()) {
    const isInSight = block.startedAtMs <= view.toMs && block.startedAtMs + block.durationMs >= view.fromMs;
    if (block.task === null || !isInSight) continue;
    byTask.set(block.task.id, [...(byTask.get(block.task.id) ?? []), block]);
  }
  return byTask;
}

function paintGrid(context: CanvasRenderingContext2D, picture: Picture): void {
  const { width, height, gutter, palette, history, view } = picture;
  context.textAlign = "center";
  const most = Math.max(2, Math.floor((width - gutter) / 85));
  for (const tick of ticksOf(view, history.startMs, most)) {
    const x = Math.round(xOf(picture, tick)) + 0.5;
    context.fillStyle = palette.line;
    context.fillRect(x, AXIS - 5, 1, height);
    context.fillStyle = palette.muted;
    const text = tick === history.startMs ? "0" : tickText(tick - history.startMs, view);
    const half = context.measureText(text).width / 2;
    context.fillText(text, Math.min(Math.max(x, gutter + half), width - half - 4), AXIS / 2 - 2);
  }
  context.fillStyle = palette.line;
  context.fillRect(0, AXIS - 1, width, 1);
}

/** With as many digits as neighbours differ in. */
function tickText(ms: number, { fromMs, toMs }: Span): string {
  if (toMs - fromMs >= 2_000 || ms < 1_000) return durationText(ms);
  const digits = Math.min(6, Math.max(2, 4 - Math.floor(Math.log10(toMs - fromMs))));
  return `${(ms / 1_000).toFixed(digits)} s`;
}

function paintRow(
  context: CanvasRenderingContext2D,
  picture: Picture,
  { lane }: LaneRow,
  y: number,
  blocks: readonly Block[] | undefined,
): void {
  const { gutter, width, palette, selected, view, history } = picture;
  if (lane.id === selected) {
    context.fillStyle = palette.selected;
    context.fillRect(0, y, width, ROW);
  }
  clip(context, [gutter, y, width - gutter, ROW], () => {
    paintBars(context, picture, lane, y + (ROW - BAR) / 2);
    const end = lane.endedAtMs ?? history.nowMs;
    for (const { startedAtMs, durationMs } of blocks ?? []) {
      const [from, to] = [xOf(picture, startedAtMs), xOf(picture, Math.min(startedAtMs + durationMs, end))];
      context.fillStyle = palette.blocked;
      context.fillRect(from, y + (ROW - BAR) / 2, Math.max(2, to - from), BAR);
    }
    for (const at of lane.cancels)
      if (at >= view.fromMs && at <= view.toMs) paintCancel(context, picture, xOf(picture, at), y);
    if (lane.outcome === "failed") paintFailure(context, picture, xOf(picture, lane.endedAtMs ?? 0), y);
  });
}

function paintCancel(context: CanvasRenderingContext2D, { palette }: Picture, x: number, y: number): void {
  context.fillStyle = palette.cancelled;
  context.strokeStyle = palette.background;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x, y + 3);
  context.lineTo(x + 5, y + ROW / 2);
  context.lineTo(x, y + ROW - 3);
  context.lineTo(x - 5, y + ROW / 2);
  context.closePath();
  context.fill();
  context.stroke();
}

function paintFailure(context: CanvasRenderingContext2D, { palette }: Picture, x: number, y: number): void {
  context.strokeStyle = palette.blocked;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x + 3, y + ROW / 2 - 4);
  context.lineTo(x + 11, y + ROW / 2 + 4);
  context.moveTo(x + 11, y + ROW / 2 - 4);
  context.lineTo(x + 3, y + ROW / 2 + 4);
  context.stroke();
}

function paintBands(context: CanvasRenderingContext2D, picture: Picture, bottom: number): void {
  const { palette, history, brush, width, height, gutter } = picture;
  const end = Math.min(bottom, height);
  const band = (fromMs: number, toMs: number, colour: string, to: number): void => {
    const from = Math.max(gutter, xOf(picture, fromMs));
    const until = Math.min(width, xOf(picture, toMs));
    context.fillStyle = colour;
    if (until >= from) context.fillRect(from, AXIS, Math.max(1, until - from), to - AXIS);
  };
  for (const { startedAtMs, durationMs } of history.blocks.values()) {
    band(startedAtMs, startedAtMs + durationMs, palette.band, end);
  }
  for (let at = 0; at < history.gaps.length; at += 2) {
    band(history.gaps[at] ?? 0, history.gaps[at + 1] ?? 0, `${palette.muted}33`, end);
  }
  if (brush !== null)
    band(Math.min(brush.fromMs, brush.toMs), Math.max(brush.fromMs, brush.toMs), `${palette.accent}33`, height);
}

function paintName(
  context: CanvasRenderingContext2D,
  picture: Picture,
  { lane, depth, children }: LaneRow,
  y: number,
): void {
  const { palette, collapsed, gutter } = picture;
  const isNarrow = gutter < 160;
  const indent = 8 + Math.min(depth, isNarrow ? 4 : 8) * (isNarrow ? 6 : 12);
  context.textAlign = "left";
  context.fillStyle = palette.muted;
  if (children > 0) context.fillText(collapsed.has(lane.id) ? "▸" : "▾", indent, y + ROW / 2);
  context.fillStyle = lane.endedAtMs === null ? palette.text : palette.muted;
  const name = lane.name.length > 80 ? lane.name.slice(0, 80) : lane.name;
  context.fillText(name, indent + 14, y + ROW / 2);
  if (lane.endedAtMs !== null || lane.waitingSinceMs !== null) return;
  context.fillStyle = palette.running;
  context.fillRect(0, y + 4, 3, ROW - 8);
}
