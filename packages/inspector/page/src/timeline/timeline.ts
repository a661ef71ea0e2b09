// The timeline as a thing that is moved and drawn: what is in sight, what is chosen, and when it has to be drawn anew.

import { type LaneRow, orderLanes } from "../../../src/timeline/lane-order.ts";
import type { Lane } from "../../../src/timeline/lane.ts";
import type { Span } from "../../../src/timeline/time-scale.ts";
import type { Model } from "../data/model.ts";
import { OVERVIEW, paintOverview } from "./overview.ts";
import { paint } from "./painter.ts";
import { AXIS, ROW, timeAt } from "./picture.ts";
import { currentPalette } from "./theme.ts";
import { panned, type Viewport, wholeOf, within, zoomed } from "./viewport.ts";

/** Rows are put in order anew at most so often while news come in: it takes time with many tasks. */
const RECOUNT_MS = 400;
/** While a recording is read all of them are news, and nobody looks at a single one. */
const RECOUNT_OPENING_MS = 2_000;

/** Below this width names have less room. */
const NARROW = 640;

/** Draws into two canvases whenever something has changed. */
export class Timeline {
  readonly model: Model;
  /** Is told when other rows are shown. */
  onRows: (count: number) => void = () => {};
  readonly collapsed = new Set<number>();
  #rows: LaneRow[] = [];
  #shows: ((lane: Lane) => boolean) | undefined;
  #view: Viewport;
  // How much is in sight while it moves on with the time; null while it stands still.
  #followMs: number | null = null;
  #brush: Span | null = null;
  #selected: number | null = null;
  #width = 0;
  #height = 0;
  #scrollTop = 0;
  #countedAt = -Infinity;
  #countedVersion = -1;
  #frame: number | null = null;

  constructor(model: Model) {
    this.model = model;
    this.#view = wholeOf(this.all);
  }

  /** All of the time there is. */
  get all(): Span {
    return { fromMs: this.model.history.startMs, toMs: this.model.history.nowMs };
  }

  get rows(): readonly LaneRow[] {
    return this.#rows;
  }

  get view(): Viewport {
    const { all } = this;
    if (this.#followMs !== null) return { fromMs: all.toMs - this.#followMs, toMs: all.toMs, isAll: false };
    return this.#view.isAll ? wholeOf(all) : this.#view;
  }

  get gutter(): number {
    return this.#width < NARROW ? 128 : 220;
  }

  /** How high all the rows are, and the axis. */
  get contentHeight(): number {
    return AXIS + this.#rows.length * ROW;
  }

  /** Which moment is at a place of the canvas. */
  timeAt(x: number): number {
    return timeAt({ gutter: this.gutter, width: this.#width, view: this.view }, Math.max(x, this.gutter));
  }

  /** Which row is at a place of the canvas. */
  rowAt(y: number): LaneRow | undefined {
    return y < AXIS ? undefined : this.#rows[Math.floor((y - AXIS + this.#scrollTop) / ROW)];
  }

  resize(width: number, height: number): void {
    [this.#width, this.#height] = [width, height];
  }

  scrollTo(top: number): void {
    this.#scrollTop = top;
  }

  select(task: number | null): void {
    this.#selected = task;
  }

  filter(shows: ((lane: Lane) => boolean) | undefined): void {
    this.#shows = shows;
    this.#countedVersion = -1;
    this.#countedAt = -Infinity;
  }

  toggle(task: number): void {
    if (!this.collapsed.delete(task)) this.collapsed.add(task);
    this.filter(this.#shows);
  }

  showAll(): void {
    this.#followMs = null;
    this.#view = wholeOf(this.all);
  }

  show(span: Span): void {
    this.#followMs = null;
    this.#view = within(span, this.all);
  }

  zoom(factor: number, aroundMs: number = (this.view.fromMs + this.view.toMs) / 2): void {
    if (this.#followMs !== null) {
      this.#followMs *= factor;
      return;
    }
    this.#view = zoomed(this.view, factor, aroundMs, this.all);
  }

  pan(part: number): void {
    this.#view = panned(this.view, part, this.all);
    this.#followMs = null;
  }

  /** Shows the last so many milliseconds, and moves on with the time. */
  follow(lengthMs: number): void {
    this.#followMs = lengthMs;
  }

  brush(span: Span | null): void {
    this.#brush = span;
  }

  /** Draws at the next frame. */
  draw(rows: HTMLCanvasElement, overview: HTMLCanvasElement): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#drawNow(rows, overview);
    });
  }

  /** No more drawing. */
  stop(): void {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
  }

  #drawNow(rows: HTMLCanvasElement, overview: HTMLCanvasElement): void {
    this.#recount();
    if (this.#width === 0 || this.#height === 0) return;
    const { view, gutter } = this;
    const { history } = this.model;
    const palette = currentPalette();
    const size = { width: this.#width, height: this.#height };
    const context = contextOf(rows, size.width, size.height);
    const chosen = { selected: this.#selected, brush: this.#brush, collapsed: this.collapsed };
    const place = { gutter, view, scrollTop: this.#scrollTop };
    paint(context, { ...size, ...chosen, ...place, history, palette, rows: this.#rows });
    const width = this.#width;
    paintOverview(contextOf(overview, width, OVERVIEW), { width, gutter, history, view, palette });
  }

  #recount(): void {
    const now = performance.now();
    const { version, status } = this.model;
    const waitMs = status.kind === "opening" ? RECOUNT_OPENING_MS : RECOUNT_MS;
    if (this.#countedVersion === version || now - this.#countedAt < waitMs) return;
    this.#countedVersion = version;
    this.#rows = orderLanes(this.model.history.lanes, { collapsed: this.collapsed, shows: this.#shows });
    // After the work: if it takes long it must not be all that is done.
    this.#countedAt = performance.now();
    this.onRows(this.#rows.length);
  }
}

/** The context of a canvas of this size, as sharp as the screen. */
function contextOf(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
  const context = canvas.getContext("2d", { alpha: false });
  if (context === null) throw new TypeError("This browser cannot draw");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
