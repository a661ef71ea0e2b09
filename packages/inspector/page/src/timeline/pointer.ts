// What the pointer does to the timeline: choose a task, drag over a time to look closer, turn the wheel to zoom and move.

import type { Timeline } from "./timeline.ts";

/** So far a pointer may move in a click, in pixels. */
const CLICK = 4;

/** What a pointer may change beside the timeline. */
export interface PointerTarget {
  readonly draw: () => void;
  readonly select: (task: number | null) => void;
  readonly hover: (x: number, y: number) => void;
  readonly leave: () => void;
}

/** Watches the pointer over the lanes. Returns what ends it. */
export function watchPointer(canvas: HTMLCanvasElement, timeline: Timeline, target: PointerTarget): () => void {
  const events = new AbortController();
  const { signal } = events;
  let from: { x: number; y: number } | null = null;
  const onDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    from = { x: event.offsetX, y: event.offsetY };
    // A finger scrolls; it chooses by touching.
    if (event.pointerType !== "touch") canvas.setPointerCapture(event.pointerId);
  };
  const onMove = (event: PointerEvent): void => {
    const isBrushing = from !== null && event.pointerType !== "touch" && Math.abs(event.offsetX - from.x) > CLICK;
    if (isBrushing && from !== null && from.x >= timeline.gutter) {
      timeline.brush({ fromMs: timeline.timeAt(from.x), toMs: timeline.timeAt(event.offsetX) });
      target.leave();
      target.draw();
    } else if (event.pointerType !== "touch") target.hover(event.offsetX, event.offsetY);
  };
  const onUp = (event: PointerEvent): void => {
    if (from === null) return;
    const isClick = Math.abs(event.offsetX - from.x) <= CLICK && Math.abs(event.offsetY - from.y) <= CLICK;
    if (isClick) click(timeline, target, event.offsetX, event.offsetY);
    else if (event.pointerType !== "touch" && from.x >= timeline.gutter) {
      timeline.show({ fromMs: timeline.timeAt(from.x), toMs: timeline.timeAt(event.offsetX) });
    }
    from = null;
    timeline.brush(null);
    target.draw();
  };
  const onCancel = (): void => {
    from = null;
    timeline.brush(null);
    target.draw();
  };
  canvas.addEventListener("pointerdown", onDown, { signal });
  canvas.addEventListener("pointermove", onMove, { signal });
  canvas.addEventListener("pointerup", onUp, { signal });
  canvas.addEventListener("pointercancel", onCancel, { signal });
  canvas.addEventListener("pointerleave", target.leave, { signal });
  canvas.addEventListener("dblclick", () => showAll(timeline, target.draw), { signal });
  canvas.addEventListener("wheel", (event) => onWheel(event, timeline, target), { signal, passive: false });
  return () => events.abort();
}

function click(timeline: Timeline, { select }: PointerTarget, x: number, y: number): void {
  const row = timeline.rowAt(y);
  if (row === undefined) return select(null);
  // On the mark before the name.
  if (row.children > 0 && x < Math.min(timeline.gutter, 24 + row.depth * 12)) timeline.toggle(row.lane.id);
  else select(row.lane.id);
}

function showAll(timeline: Timeline, draw: () => void): void {
  timeline.showAll();
  draw();
}

function onWheel(event: WheelEvent, timeline: Timeline, { draw }: PointerTarget): void {
  const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  if (event.ctrlKey || event.metaKey) {
    timeline.zoom(1.0015 ** event.deltaY, timeline.timeAt(event.offsetX));
  } else if (isSideways) timeline.pan((event.deltaX || event.deltaY) / 1_000);
  else return; // up and down is scrolling, which the browser does
  event.preventDefault();
  draw();
}

/** Watches the pointer over the strip: dragging chooses the part in sight. Returns what ends it. */
export function watchOverview(canvas: HTMLCanvasElement, timeline: Timeline, draw: () => void): () => void {
  const events = new AbortController();
  const { signal } = events;
  let from: number | null = null;
  const timeOf = ({ offsetX }: PointerEvent): number => {
    const { fromMs, toMs } = timeline.all;
    const { gutter } = timeline;
    const part = (offsetX - gutter) / Math.max(1, canvas.clientWidth - gutter);
    return fromMs + Math.max(0, Math.min(1, part)) * (toMs - fromMs);
  };
  canvas.addEventListener(
    "pointerdown",
    (event) => {
      from = timeOf(event);
      canvas.setPointerCapture(event.pointerId);
    },
    { signal },
  );
  canvas.addEventListener(
    "pointermove",
    (event) => {
      if (from === null) return;
      timeline.show({ fromMs: from, toMs: timeOf(event) });
      draw();
    },
    { signal },
  );
  canvas.addEventListener(
    "pointerup",
    (event) => {
      // A click moves what is in sight to there.
      const { fromMs, toMs } = timeline.view;
      const at = timeOf(event);
      if (from === at) timeline.show({ fromMs: at - (toMs - fromMs) / 2, toMs: at + (toMs - fromMs) / 2 });
      from = null;
      draw();
    },
    { signal },
  );
  canvas.addEventListener("dblclick", () => showAll(timeline, draw), { signal });
  return () => events.abort();
}
