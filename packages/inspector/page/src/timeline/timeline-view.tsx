// The timeline on the page: canvases, and what the pointer and the keys do to them.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { reasonAt, stateAt } from "../../../src/timeline/lane.ts";
import { durationText } from "../../../src/timeline/time-scale.ts";
import type { Model } from "../data/model.ts";
import { useSelection } from "../data/selection.ts";
import { useModel } from "../data/use-model.ts";
import { laneStateText } from "../views/state-text.ts";
import { Legend } from "./legend.tsx";
import { onKey } from "./keys.ts";
import { AXIS, ROW } from "./painter.ts";
import { watchOverview, watchPointer } from "./pointer.ts";
import { onThemeChange } from "./theme.ts";
import { Timeline } from "./timeline.ts";

/** The timeline, with a filter above it. */
export function TimelineView() {
  const model = useModel();
  const { task, select } = useSelection();
  const timeline = useMemo(() => new Timeline(model), [model]);
  const [text, setText] = useState("");
  const [liveOnly, setLiveOnly] = useState(false);
  const [count, setCount] = useState(0);
  const [tip, setTip] = useState<Tip | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const overview = useRef<HTMLCanvasElement>(null);
  const redraw = useRef(() => {});

  useEffect(() => {
    const [box, lanes, strip] = [scroller.current, canvas.current, overview.current];
    if (box === null || lanes === null || strip === null) return undefined;
    const draw = (): void => timeline.draw(lanes, strip);
    redraw.current = draw;
    timeline.onRows = setCount;
    const measure = (): void => {
      timeline.resize(box.clientWidth, box.clientHeight);
      lanes.style.height = `${box.clientHeight}px`;
      draw();
    };
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    const onScroll = (): void => {
      timeline.scrollTo(box.scrollTop);
      draw();
    };
    box.addEventListener("scroll", onScroll, { passive: true });
    const show = (x: number, y: number): void => setTip(tipAt(timeline, x, y, lanes.getBoundingClientRect()));
    const ends = [
      watchPointer(lanes, timeline, { draw, select, hover: show, leave: () => setTip(null) }),
      watchOverview(strip, timeline, draw),
      model.subscribe(draw),
      onThemeChange(draw),
    ];
    // The last news may come while rows are not counted anew yet.
    const timer = window.setInterval(draw, 500);
    return () => {
      observer.disconnect();
      box.removeEventListener("scroll", onScroll);
      window.clearInterval(timer);
      timeline.stop();
      for (const end of ends) end();
    };
  }, [timeline, model, select]);

  useEffect(() => {
    const wanted = text.trim().toLowerCase();
    const shows = (lane: { name: string; id: number; endedAtMs: number | null }): boolean =>
      (!liveOnly || lane.endedAtMs === null) && (lane.name.toLowerCase().includes(wanted) || String(lane.id) === wanted);
    timeline.filter(wanted === "" && !liveOnly ? undefined : shows);
    redraw.current();
  }, [timeline, text, liveOnly]);

  useEffect(() => {
    timeline.select(task);
    redraw.current();
  }, [timeline, task]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const box = scroller.current;
    if (box === null || !onKey(event, timeline, { task, select, reveal: (row) => reveal(box, row) })) return;
    event.preventDefault();
    redraw.current();
  };
  return (
    <div class="timeline">
      <form class="tools" role="search" onSubmit={(event) => event.preventDefault()}>
        <input
          type="search"
          placeholder="Filter by name or number"
          aria-label="Filter by name or number"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <label>
          <input type="checkbox" checked={liveOnly} onChange={({ currentTarget }) => setLiveOnly(currentTarget.checked)} />{" "}
          alive
        </label>
        <div class="zoom">
          <button type="button" aria-label="Closer" onClick={() => (timeline.zoom(0.5), redraw.current())}>
            +
          </button>
          <button type="button" aria-label="Farther" onClick={() => (timeline.zoom(2), redraw.current())}>
            −
          </button>
          <button type="button" onClick={() => (timeline.showAll(), redraw.current())}>
            All
          </button>
        </div>
        <Legend />
      </form>
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
        <div class={tip.isLeft ? "tip left" : "tip"} style={{ left: `${tip.x}px`, top: `${tip.y}px` }} aria-hidden="true">
          {tip.text}
        </div>
      )}
      <p id="timeline-keys" class="sr">
        Up and down choose a task, left and right move in time, plus and minus zoom, 0 shows all, space folds what belongs to
        a task. The part Tasks has the same as text.
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
  return `Timeline of ${count} tasks over ${length}, with ${history.blocks.size} times of a blocked event loop`;
}

function spoken({ history }: Model, task: number): string {
  const lane = history.lanes.get(task);
  return lane === undefined ? "" : `${lane.name}, ${laneStateText(lane, history)}`;
}

/** What is said beside the pointer; places are of the window. */
interface Tip {
  readonly x: number;
  readonly y: number;
  readonly isLeft: boolean;
  readonly text: string;
}

function tipAt(timeline: Timeline, x: number, y: number, box: DOMRect): Tip | null {
  const text = tipText(timeline, x, y);
  if (text === null) return null;
  return { x: box.left + x, y: box.top + y + 18, isLeft: x > box.width * 0.6, text };
}

function tipText(timeline: Timeline, x: number, y: number): string | null {
  const row = timeline.rowAt(y);
  if (row === undefined) return null;
  const { history } = timeline.model;
  const { lane } = row;
  if (x < timeline.gutter) return `${lane.name} #${lane.id}: ${laneStateText(lane, history)}`;
  const atMs = timeline.timeAt(x);
  const state = stateAt(lane, atMs);
  const when = durationText(atMs - history.startMs);
  const reason = history.texts.text(reasonAt(lane, atMs));
  const does = { none: "", running: "runs", waiting: `waits for ${reason || "something"}`, unknown: "not recorded" }[state];
  return [`${lane.name} #${lane.id}`, does, `at ${when}`].filter((part) => part !== "").join(" · ");
}
