// The timeline on the page: canvases, and what the pointer and the keys do to them.

import { useEffect, useRef, useState } from "preact/hooks";

import { durationText } from "../../../src/timeline/time-scale.ts";
import type { Model } from "../data/model.ts";
import { useSelection } from "../data/selection.ts";
import { useModel } from "../data/use-model.ts";
import { laneStateText } from "../views/state-text.ts";
import { onKey } from "./keys.ts";
import { AXIS, ROW } from "./picture.ts";
import { Timeline } from "./timeline.ts";
import type { Tip } from "./tip.ts";
import { Tools } from "./tools.tsx";
import { useCanvases } from "./use-canvases.ts";

// One for as long as the page is there: what was in sight is in sight again after a look at another part.
const timelines = new WeakMap<Model, Timeline>();

function timelineOf(model: Model): Timeline {
  const timeline = timelines.get(model) ?? new Timeline(model);
  timelines.set(model, timeline);
  return timeline;
}

/** The timeline, with a filter above it. */
export function TimelineView() {
  const model = useModel();
  const { task, select } = useSelection();
  const timeline = timelineOf(model);
  const [count, setCount] = useState(0);
  const [tip, setTip] = useState<Tip | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const overview = useRef<HTMLCanvasElement>(null);
  const redraw = useCanvases(timeline, { scroller, canvas, overview }, { select, setCount, setTip });

  useEffect(() => {
    timeline.select(task);
    redraw();
  }, [timeline, redraw, task]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const box = scroller.current;
    if (box === null || !onKey(event, timeline, { task, select, reveal: (row) => reveal(box, row) })) return;
    event.preventDefault();
    redraw();
  };
  return (
    <div class="timeline">
      <Tools timeline={timeline} redraw={redraw} />
      <canvas class="overview" ref={overview} aria-hidden="true" />
      <div class="lanes" ref={scroller}>
        <canvas
          ref={canvas}
          tabIndex={0}
          role="img"
          aria-label={summaryOf(model, count)}
          aria-describedby="timeline-keys"
          onKeyDown={onKeyDown}
        />
        <div class="lanes-space" style={{ height: `${AXIS + count * ROW}px` }} />
      </div>
      {tip !== null && (
        <div
          class={tip.isLeft ? "tip left" : "tip"}
          style={{ left: `${tip.x}px`, top: `${tip.y}px` }}
          aria-hidden="true"
        >
          {tip.text}
        </div>
      )}
      <p id="timeline-keys" class="sr">
        Up and down choose a task, left and right move in time, plus and minus zoom, 0 shows all, space folds what
        belongs to a task. The part Tasks has the same as text.
      </p>
      <p class="sr" role="status">
        {task === null ? "" : spoken(model, task)}
      </p>
    </div>
  );
}

function reveal(box: HTMLElement, row: number): void {
  const top = row * ROW;
  const room = box.clientHeight - AXIS - ROW;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top > box.scrollTop + room) box.scrollTop = top - room;
}

function summaryOf({ history }: Model, count: number): string {
  const length = durationText(history.nowMs - history.startMs);
  const times = history.blocks.size;
  const tasks = count === 1 ? "1 task" : `${count} tasks`;
  return `Timeline of ${tasks} over ${length}; the event loop was blocked ${times === 1 ? "once" : `${times} times`}`;
}

function spoken({ history }: Model, task: number): string {
  const lane = history.lanes.get(task);
  return lane === undefined ? "" : `${lane.name}, ${laneStateText(lane, history)}`;
}
