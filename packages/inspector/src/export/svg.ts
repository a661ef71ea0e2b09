// The timeline of a run, or of several below each other, as one SVG file: no script, no font, nothing from elsewhere.

import { DARK, LIGHT, type Palette } from "../timeline/palette.ts";
import { coordinate, escapeMarkup } from "./markup.ts";
import { describeLane, drawPanel, type NamedRun } from "./panel.ts";

/** How a picture is drawn. */
export interface PictureOptions {
  /** In pixels, at least 480; 960 by default. */
  readonly width?: number;
  /** How many tasks of each run are drawn; 100 by default. */
  readonly maxRows?: number;
  /** `auto`, the default, is what the reader has chosen for the whole screen. */
  readonly theme?: "auto" | "light" | "dark";
}

const LEGEND = 34;
const MARGIN = 24;

/**
 * The timelines of runs as an SVG picture: several of them stand below each other, on the same scale of time.
 *
 * @example
 * ```ts
 * import { RunHistory, timelineSvg } from "@meanwhile/inspector";
 *
 * const svg = timelineSvg([{ title: "nothing happens", history: new RunHistory() }]);
 * console.log(svg.startsWith("<svg ")); //> true
 * ```
 */
export function timelineSvg(runs: readonly NamedRun[], options: PictureOptions = {}): string {
  const { maxRows = 100, theme = "auto" } = options;
  const width = Math.max(480, options.width ?? 960);
  const durationMs = Math.max(...runs.map(({ history }) => history.nowMs - history.startMs), 0.001);
  let top = 12;
  const panels = runs.map((run) => {
    const { markup, height } = drawPanel(run, { width, maxRows, durationMs, top });
    top += height + 8;
    return markup;
  });
  const height = top + LEGEND;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`,
    ` role="img" aria-label="${escapeMarkup(labelOf(runs))}">`,
    `<style>${stylesFor(theme)}</style>`,
    `<rect class="background" width="${width}" height="${height}" rx="8"/>`,
    ...panels,
    drawLegend(runs, height - 14),
    "</svg>\n",
  ].join("");
}

function labelOf(runs: readonly NamedRun[]): string {
  const texts = runs.map(({ title, history }) => {
    const tasks = [...history.lanes.values()].slice(0, 10).map((lane) => describeLane(lane, history));
    return [title, ...tasks].join(". ");
  });
  return `Timeline. ${texts.join(". ")}`;
}

function drawLegend(runs: readonly NamedRun[], y: number): string {
  const lanes = runs.flatMap(({ history }) => [...history.lanes.values()]);
  const shown: Array<[kind: string, text: string]> = [
    ["running", "runs"],
    ["waiting", "waits"],
  ];
  if (runs.some(({ history }) => history.blocks.size > 0)) shown.push(["blocked", "blocks the event loop"]);
  if (lanes.some(({ cancels }) => cancels.length > 0)) shown.push(["cancelled", "cancelled"]);
  if (lanes.some(({ outcome }) => outcome === "failed")) shown.push(["failed", "failed"]);
  if (lanes.some(({ unknown }) => unknown.length > 0)) shown.push(["unknown", "not recorded"]);
  let x = MARGIN;
  const parts = shown.map(([kind, text]) => {
    const at = coordinate(x);
    x += 30 + text.length * 6.6;
    return `${legendMark(kind, Number(at), y)}<text class="muted" x="${Number(at) + 18}" y="${y}">${text}</text>`;
  });
  return parts.join("");
}

function legendMark(kind: string, x: number, y: number): string {
  if (kind === "cancelled") return `<path class="cancelled" d="M${x + 6} ${y - 11}l5 7l-5 7l-5 -7z"/>`;
  if (kind === "failed") return `<path class="failed" d="M${x + 2} ${y - 8}l8 8m0 -8l-8 8"/>`;
  return `<rect class="${kind}" x="${x}" y="${y - 10}" width="12" height="12" rx="2"/>`;
}

/** The styles of the picture. */
function stylesFor(theme: "auto" | "light" | "dark"): string {
  const common =
    "text{font:12px system-ui,sans-serif}.title{font-size:15px;font-weight:600}.failed{fill:none;stroke-width:2}";
  if (theme !== "auto") return common + coloursOf(theme === "dark" ? DARK : LIGHT);
  return `${common}${coloursOf(LIGHT)}@media (prefers-color-scheme:dark){${coloursOf(DARK)}}`;
}

function coloursOf(palette: Palette): string {
  const fills = ["background", "running", "waiting", "mixed", "unknown", "blocked", "band", "cancelled"] as const;
  const parts = fills.map((kind) => `.${kind}{fill:${palette[kind]}}`);
  parts.push(`.title,.name{fill:${palette.text}}.muted{fill:${palette.muted}}`);
  parts.push(`.line{stroke:${palette.line}}.failed{stroke:${palette.blocked}}`);
  return parts.join("");
}
