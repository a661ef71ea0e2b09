// One run as a part of an SVG picture: an axis, and a line for every task.

import { type LaneRow, orderLanes } from "../timeline/lane-order.ts";
import { type Lane, sumsOf } from "../timeline/lane.ts";
import type { RunHistory } from "../timeline/run-history.ts";
import { eachSegment } from "../timeline/segments.ts";
import { durationText, ticksOf } from "../timeline/time-scale.ts";
import { coordinate, escapeMarkup } from "./markup.ts";

/** A run, and what it is called. */
export interface NamedRun {
  /** Stands above it. */
  readonly title: string;
  /** What happened. */
  readonly history: RunHistory;
}

/** How a panel is drawn: lengths in pixels. */
export interface PanelOptions {
  readonly width: number;
  readonly top: number;
  /** How much time the axis shows at least: the same for all runs that are compared. */
  readonly durationMs: number;
  readonly maxRows: number;
}

const NAMES = 190;
const MARGIN = 24;
const TITLE = 30;
const AXIS = 24;
const ROW = 22;
const BAR = 14;
/** So many letters of a name have room. */
const LETTERS = 26;

/** The markup of a panel, and how high it is. */
export function drawPanel({ title, history }: NamedRun, options: PanelOptions): { markup: string; height: number } {
  const all = orderLanes(history.lanes);
  const rows = all.slice(0, options.maxRows);
  const x = scaleOf(history, options);
  const first = options.top + TITLE + AXIS;
  const bottom = first + rows.length * ROW;
  const left = all.length - rows.length;
  const parts = [
    textAt(MARGIN, options.top + 18, "title", title),
    textAt(options.width - MARGIN, options.top + 18, "muted", summaryOf(history, all.length), "end"),
    drawAxis(history, x, options, bottom),
    ...rows.map((row, at) => drawRow(row, { x, y: first + at * ROW, history })),
    drawBands(history, x, first, bottom),
    left === 0 ? "" : textAt(MARGIN, bottom + 16, "muted", `and ${left} more tasks`),
  ];
  return { markup: parts.join(""), height: bottom - options.top + (left === 0 ? 8 : 28) };
}

type Scale = (atMs: number) => number;

function scaleOf({ startMs }: RunHistory, { width, durationMs }: PanelOptions): Scale {
  const room = width - NAMES - 2 * MARGIN;
  return (atMs) => MARGIN + NAMES + ((atMs - startMs) / durationMs) * room;
}

function summaryOf(history: RunHistory, tasks: number): string {
  return `${tasks === 1 ? "1 task" : `${tasks} tasks`} · ${durationText(history.nowMs - history.startMs)}`;
}

function drawAxis({ startMs }: RunHistory, x: Scale, { top, durationMs, width }: PanelOptions, bottom: number): string {
  const span = { fromMs: startMs, toMs: startMs + durationMs };
  const ticks = ticksOf(span, startMs, 7).map((at) => {
    const here = coordinate(x(at));
    const line = `<path class="line" d="M${here} ${top + TITLE + AXIS - 4}V${bottom}"/>`;
    // The last label would be cut off.
    const anchor = x(at) > width - MARGIN - 20 ? "end" : "middle";
    return line + textAt(x(at), top + TITLE + 12, "muted", at === startMs ? "0" : durationText(at - startMs), anchor);
  });
  return ticks.join("");
}

interface RowPlace {
  readonly x: Scale;
  readonly y: number;
  readonly history: RunHistory;
}

function drawRow({ lane, depth }: LaneRow, { x, y, history }: RowPlace): string {
  const indent = Math.min(depth, 6) * 12;
  const name = shortened(lane.name, LETTERS - Math.ceil(indent / 7));
  const label = textAt(MARGIN + indent, y + 15, "name", name);
  return `<g><title>${escapeMarkup(describeLane(lane, history))}</title>${label}${drawLane(lane, { x, y, history })}</g>`;
}

function drawLane(lane: Lane, { x, y, history }: RowPlace): string {
  const { startMs: fromMs, nowMs: toMs } = history;
  const paths = { running: "", waiting: "", mixed: "", unknown: "" };
  const draw = (kind: keyof typeof paths, from: number, to: number): void => {
    const width = Math.max(x(to) - x(from), 1);
    paths[kind] += `M${coordinate(x(from))} ${y + 4}h${coordinate(width)}v${BAR}h-${coordinate(width)}z`;
  };
  // Half a pixel.
  const resolutionMs = 0.5 / (x(1) - x(0));
  eachSegment(lane, { fromMs, toMs, nowMs: toMs, resolutionMs }, draw);
  for (let at = 0; at < lane.unknown.length; at += 2) draw("unknown", lane.unknown[at] ?? 0, lane.unknown[at + 1] ?? 0);
  const bars = Object.entries(paths).map(([kind, d]) => (d === "" ? "" : `<path class="${kind}" d="${d}"/>`));
  const blocks = blocksOf(lane, history).map(([from, to]) => {
    const width = Math.max(x(to) - x(from), 2);
    return `<rect class="blocked" x="${coordinate(x(from))}" y="${y + 4}" width="${coordinate(width)}" height="${BAR}"/>`;
  });
  return bars.join("") + blocks.join("") + drawMarks(lane, x, y);
}

function drawMarks(lane: Lane, x: Scale, y: number): string {
  const cancels = lane.cancels.map(
    (at) => `<path class="cancelled" d="M${coordinate(x(at))} ${y + 3}l5 8l-5 8l-5 -8z"/>`,
  );
  if (lane.outcome !== "failed" || lane.endedAtMs === null) return cancels.join("");
  return `${cancels.join("")}<path class="failed" d="M${coordinate(x(lane.endedAtMs) + 4)} ${y + 7}l8 8m0 -8l-8 8"/>`;
}

function drawBands(history: RunHistory, x: Scale, top: number, bottom: number): string {
  const bands = [...history.blocks.values()].map(({ startedAtMs, durationMs }) => {
    const width = Math.max(x(startedAtMs + durationMs) - x(startedAtMs), 1);
    return `<rect class="band" x="${coordinate(x(startedAtMs))}" y="${top}" width="${coordinate(width)}" height="${bottom - top}"/>`;
  });
  return bands.join("");
}

function blocksOf({ id }: Lane, { blocks }: RunHistory): Array<readonly [number, number]> {
  const own = [...blocks.values()].filter(({ task }) => task?.id === id);
  return own.map(({ startedAtMs, durationMs }) => [startedAtMs, startedAtMs + durationMs]);
}

/** A task in one sentence, for those who cannot see the picture, or point at it. */
export function describeLane(lane: Lane, { startMs, nowMs }: RunHistory): string {
  const { runningMs, waitingMs } = sumsOf(lane, nowMs);
  const end = lane.endedAtMs ?? nowMs;
  const life = `${durationText(lane.createdAtMs - startMs)} to ${durationText(end - startMs)}`;
  const outcome = lane.outcome ?? (lane.isGone ? "end not seen" : "not ended");
  return `${lane.name}: ${life}, ran ${durationText(runningMs)}, waited ${durationText(waitingMs)}, ${outcome}`;
}

function shortened(text: string, most: number): string {
  const letters = Array.from(text);
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("")}…`;
}

function textAt(x: number, y: number, kind: string, text: string, anchor?: "end" | "middle"): string {
  const at = anchor === undefined ? "" : ` text-anchor="${anchor}"`;
  return `<text class="${kind}" x="${coordinate(x)}" y="${y}"${at}>${escapeMarkup(text)}</text>`;
}
