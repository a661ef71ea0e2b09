// One SVG per row: a bar for the median of each peer, a whisker from its least to its greatest round.
// The colours follow the reader's scheme, so the drawing can stand on a light or a dark page.

import { type PeerResult, type Result, roundsText } from "./results.ts";
import type { Figure } from "./row.ts";
import { number } from "./table.ts";

const WIDTH = 760;
const LABELS = 200;
const VALUES = 90;
const BAR = 18;
const STEP = 28;
const TOP = 58;

const STYLE = `
    text { font: 13px system-ui, sans-serif; fill: #24292f; }
    .title { font-size: 15px; font-weight: 600; }
    .note { fill: #57606a; font-size: 12px; }
    .peer { fill: #afb8c1; }
    .ours { fill: #1a7f6b; }
    .spread { stroke: #24292f; stroke-width: 1.5; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .note { fill: #9198a1; }
      .peer { fill: #57606a; }
      .ours { fill: #3fb8a0; }
      .spread { stroke: #e6edf3; }
    }`;

interface Bar {
  readonly result: PeerResult;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function chart(result: Result): string {
  const [figure] = result.figures;
  if (figure === undefined) throw new Error(`row ${result.row} has no figure to draw`);
  const bars = barsOf(result, figure);
  const scale = (WIDTH - LABELS - VALUES) / Math.max(...bars.map(({ max }) => max));
  const height = TOP + bars.length * STEP + 8;
  const better = figure.better === "less" ? "shorter is better" : "longer is better";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(result.title)}">
  <style>${STYLE}
  </style>
  <text class="title" x="0" y="18">${escaped(result.title)}</text>
  <text class="note" x="0" y="38">${escaped(`${figure.label}; ${better}; ${roundsText(result)}, least to greatest; ${result.date}`)}</text>
${bars.map((bar, index) => drawn(bar, TOP + index * STEP, scale)).join("\n")}
</svg>
`;
}

function barsOf(result: Result, figure: Figure): Bar[] {
  const bars = result.peers.flatMap((peer): Bar[] => {
    const spread = peer.figures[figure.key];
    return spread === undefined ? [] : [{ result: peer, ...spread }];
  });
  const sign = figure.better === "less" ? 1 : -1;
  return bars.toSorted((a, b) => sign * (a.median - b.median));
}

function drawn({ result, median, min, max }: Bar, y: number, scale: number): string {
  const at = (value: number): string => (LABELS + value * scale).toFixed(1);
  const middle = y + BAR / 2;
  return [
    `  <text x="${LABELS - 8}" y="${y + 14}" text-anchor="end">${escaped(result.peer)}</text>`,
    `  <rect class="${result.ours ? "ours" : "peer"}" x="${LABELS}" y="${y}" width="${(median * scale).toFixed(1)}" height="${BAR}" rx="2"/>`,
    `  <line class="spread" x1="${at(min)}" x2="${at(max)}" y1="${middle}" y2="${middle}"/>`,
    `  <text x="${(Number(at(max)) + 8).toFixed(1)}" y="${y + 14}">${number(median)}</text>`,
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
