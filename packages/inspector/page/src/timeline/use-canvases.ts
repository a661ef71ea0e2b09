// Brings a timeline onto its canvases, and keeps it there: sizes, scrolling, pointer, news and colours.

import type { RefObject } from "preact";
import { useCallback, useEffect } from "preact/hooks";

import { watchOverview, watchPointer } from "./pointer.ts";
import { onThemeChange } from "./theme.ts";
import type { Timeline } from "./timeline.ts";
import { type Tip, tipAt } from "./tip.ts";

/** Where it is drawn. */
export interface Canvases {
  readonly scroller: RefObject<HTMLDivElement | null>;
  readonly canvas: RefObject<HTMLCanvasElement | null>;
  readonly overview: RefObject<HTMLCanvasElement | null>;
}

/** Who is told of what. */
export interface CanvasEvents {
  readonly select: (task: number | null) => void;
  readonly setCount: (count: number) => void;
  readonly setTip: (tip: Tip | null) => void;
}

/** The last news may come while rows are not put in order anew yet. */
const REDRAW_MS = 500;

/** Draws the timeline whenever there is a reason; what is returned gives another one. */
export function useCanvases(timeline: Timeline, canvases: Canvases, events: CanvasEvents): () => void {
  const { scroller, canvas, overview } = canvases;
  const { select, setCount, setTip } = events;
  const redraw = useCallback(() => {
    if (canvas.current !== null && overview.current !== null) timeline.draw(canvas.current, overview.current);
  }, [timeline, canvas, overview]);
  useEffect(() => {
    const [box, lanes, strip] = [scroller.current, canvas.current, overview.current];
    if (box === null || lanes === null || strip === null) return undefined;
    timeline.onRows = setCount;
    const hover = (x: number, y: number): void => setTip(tipAt(timeline, x, y, lanes.getBoundingClientRect()));
    const timer = window.setInterval(redraw, REDRAW_MS);
    const ends = [
      watchBox(box, lanes, timeline, redraw),
      watchPointer(lanes, timeline, { draw: redraw, select, hover, leave: () => setTip(null) }),
      watchOverview(strip, timeline, redraw),
      timeline.model.subscribe(redraw),
      onThemeChange(redraw),
      () => window.clearInterval(timer),
      () => timeline.stop(),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [timeline, redraw, scroller, canvas, overview, select, setCount, setTip]);
  return redraw;
}

/** Follows the size of the box around the lanes, and how far it is scrolled. */
function watchBox(box: HTMLElement, lanes: HTMLElement, timeline: Timeline, draw: () => void): () => void {
  const onScroll = (): void => {
    timeline.scrollTo(box.scrollTop);
    draw();
  };
  const observer = new ResizeObserver(() => {
    timeline.resize(box.clientWidth, box.clientHeight);
    lanes.style.height = `${box.clientHeight}px`;
    draw();
  });
  observer.observe(box);
  // It may have been scrolled when it was here before.
  timeline.scrollTo(box.scrollTop);
  box.addEventListener("scroll", onScroll, { passive: true });
  return () => {
    observer.disconnect();
    box.removeEventListener("scroll", onScroll);
  };
}
