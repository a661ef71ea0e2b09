// What is drawn of the timeline, and where on it a moment is.

import type { LaneRow } from "../../../src/timeline/lane-order.ts";
import type { Palette } from "../../../src/timeline/palette.ts";
import type { RunHistory } from "../../../src/timeline/run-history.ts";
import type { Span } from "../../../src/timeline/time-scale.ts";

/** Heights in pixels. */
export const ROW = 22;
export const AXIS = 26;
export const BAR = 14;

/** What is drawn. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** How wide the names are. */
  readonly gutter: number;
  readonly history: RunHistory;
  readonly rows: readonly LaneRow[];
  readonly collapsed: ReadonlySet<number>;
  /** The first line in sight, which may be cut. */
  readonly scrollTop: number;
  readonly view: Span;
  readonly palette: Palette;
  readonly selected: number | null;
  /** The time that is being chosen with the pointer. */
  readonly brush: Span | null;
}

/** Where a moment is. */
export function xOf({ gutter, width, view }: Pick<Picture, "gutter" | "width" | "view">, atMs: number): number {
  return gutter + ((atMs - view.fromMs) / (view.toMs - view.fromMs)) * (width - gutter);
}

/** Which moment is there. */
export function timeAt({ gutter, width, view }: Pick<Picture, "gutter" | "width" | "view">, x: number): number {
  return view.fromMs + ((x - gutter) / (width - gutter)) * (view.toMs - view.fromMs);
}
