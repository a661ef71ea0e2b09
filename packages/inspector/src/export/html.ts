// The timeline of runs as one HTML file: the picture, and the same in words. No script: it can be attached to anything.

import { orderLanes } from "../timeline/lane-order.ts";
import { type Lane, sumsOf } from "../timeline/lane.ts";
import { DARK, LIGHT, type Palette } from "../timeline/palette.ts";
import type { RunHistory } from "../timeline/run-history.ts";
import { durationText } from "../timeline/time-scale.ts";
import { escapeMarkup } from "./markup.ts";
import type { NamedRun } from "./panel.ts";
import { type PictureOptions, timelineSvg } from "./svg.ts";

/** Nothing may be loaded or run, even if an error in here would ask for it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/**
 * The timelines of runs as an HTML page: the picture of {@link timelineSvg}, a table of the tasks, and every time in which
 * the event loop was blocked.
 *
 * @example
 * ```ts
 * import { RunHistory, timelineHtml } from "@meanwhile/inspector";
 *
 * const page = timelineHtml([{ title: "nothing happens", history: new RunHistory() }]);
 * console.log(page.startsWith("<!doctype html>")); //> true
 * ```
 */
export function timelineHtml(runs: readonly NamedRun[], options: PictureOptions = {}): string {
  const { maxRows = 100, theme = "auto" } = options;
  const title = escapeMarkup(runs.map((run) => run.title).join(" · "));
  return [
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title>`,
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    `<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">`,
    `<style>${stylesFor(theme)}</style></head><body><main><h1>${title}</h1>`,
    `<div class="wide">${timelineSvg(runs, options)}</div>`,
    ...runs.map(({ title: name, history }) => blocksOf(name, history) + tableOf(name, history, maxRows)),
    "</main></body></html>\n",
  ].join("");
}

function blocksOf(title: string, { blocks, startMs }: RunHistory): string {
  if (blocks.size === 0) return "";
  const items = [...blocks.values()].map(({ startedAtMs, message, stack }) => {
    const places = stack.map(
      (place) => `${place.function || "(anonymous)"} ${place.file}:${place.line}:${place.column}`,
    );
    const lines = places.length === 0 ? "" : `<pre>${escapeMarkup(places.join("\n"))}</pre>`;
    return `<li><p>at ${durationText(startedAtMs - startMs)}: ${escapeMarkup(message)}</p>${lines}</li>`;
  });
  return `<h2>${escapeMarkup(title)}: blocked event loop</h2><ol>${items.join("")}</ol>`;
}

function tableOf(title: string, history: RunHistory, maxRows: number): string {
  const rows = orderLanes(history.lanes);
  const shown = rows.slice(0, maxRows).map(({ lane, depth }) => rowOf(lane, depth, history));
  const rest = rows.length > maxRows ? `<p>and ${rows.length - maxRows} more tasks</p>` : "";
  const heads = ["task", "began", "lasted", "ran", "waited", "waits", "end"].map(
    (head) => `<th scope="col">${head}</th>`,
  );
  const head = `<thead><tr>${heads.join("")}</tr></thead>`;
  return `<h2>${escapeMarkup(title)}: tasks</h2><div class="wide"><table>${head}<tbody>${shown.join("")}</tbody></table></div>${rest}`;
}

function rowOf(lane: Lane, depth: number, { startMs, nowMs, texts }: RunHistory): string {
  const { runningMs, waitingMs } = sumsOf(lane, nowMs);
  const cells = [
    durationText(lane.createdAtMs - startMs),
    durationText((lane.endedAtMs ?? nowMs) - lane.createdAtMs),
    durationText(runningMs),
    durationText(waitingMs),
    [...new Set(lane.reasons)]
      .slice(0, 3)
      .map((reason) => texts.text(reason))
      .join(", "),
    lane.outcome ?? (lane.isGone ? "not seen" : "not yet"),
  ];
  const name = `<th scope="row" class="d${Math.min(depth, 6)}">${escapeMarkup(lane.name)}</th>`;
  return `<tr>${name}${cells.map((cell) => `<td>${escapeMarkup(cell)}</td>`).join("")}</tr>`;
}

function stylesFor(theme: "auto" | "light" | "dark"): string {
  const indents = [1, 2, 3, 4, 5, 6].map((depth) => `.d${depth}{padding-left:${depth + 0.6}em}`).join("");
  const common = `body{font:14px/1.5 system-ui,sans-serif;margin:0}main{max-width:1100px;margin:auto;padding:1em}
h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}h1,h2,li{overflow-wrap:anywhere}.wide{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.2em .6em;text-align:left;border-bottom:1px solid}
td:not(:nth-child(6)){white-space:nowrap}
th{font-weight:500}thead th{font-weight:600}pre{overflow-x:auto}${indents}`;
  if (theme !== "auto") return common + coloursOf(theme === "dark" ? DARK : LIGHT);
  return `:root{color-scheme:light dark}${common}${coloursOf(LIGHT)}@media (prefers-color-scheme:dark){${coloursOf(DARK)}}`;
}

function coloursOf({ background, text, line }: Palette): string {
  return `body{background:${background};color:${text}}th,td{border-color:${line}}`;
}
