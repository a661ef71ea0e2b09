// Rows of cells below titles, as wide as the paper: names are cut off, and what does not fit stands below its row.

import { clipTo, padTo, widthOf } from "../output/text-width.ts";
import type { Paper, Style } from "./paper.ts";

/** A column. The last one is as wide as there is room. */
export interface Column {
  readonly title: string;
  /** On which side blanks fill it; numbers have them at the start. Default: `end`. */
  readonly align?: "start" | "end";
  /** How what stands in it looks. Default: as it is. */
  readonly styleOf?: (cell: string) => Style | undefined;
}

/** A row, with lines of its own below it. */
export interface Row {
  readonly cells: readonly string[];
  readonly below: readonly string[];
}

const GAP = "  ";
const WIDEST_CELL = 32;
const INDENT = 8;

const STATE_STYLES: ReadonlyMap<string, Style> = new Map([
  ["running", "green"],
  ["new", "cyan"],
  ["cancelled", "yellow"],
]);

/** How a state looks; undefined for one that looks like nothing in particular. */
export function styleOfState(state: string): Style | undefined {
  return STATE_STYLES.get(state);
}

/** How a table looks. */
export interface TableLooks {
  /** Whether a row that is too wide is cut off. Default: its last cell goes below it. */
  readonly clips?: boolean;
}

/** The lines of a table. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly Row[],
  paper: Paper,
  { clips = false }: TableLooks = {},
): string[] {
  const widths = widthsOf(columns, rows, paper);
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const titles = columns.map(({ title }) => title);
  const head = paper.line(rowText(columns, titles, widths, paper.width - before).trimEnd(), "dim");
  return [head, ...rows.flatMap((row) => rowLines(columns, row, { widths, before, paper, clips }))];
}

function widthsOf(columns: readonly Column[], rows: readonly Row[], paper: Paper): number[] {
  const longest = Number.isFinite(paper.width) && paper.width < 100 ? WIDEST_CELL - 10 : WIDEST_CELL;
  return columns.map(({ title }, index) => {
    let width = title.length;
    for (const { cells } of rows) width = Math.max(width, widthOf(cells[index] ?? ""));
    return Math.min(longest, width);
  });
}

interface Measures {
  readonly widths: readonly number[];
  readonly before: number;
  readonly paper: Paper;
  readonly clips: boolean;
}

function rowLines(columns: readonly Column[], { cells, below }: Row, measures: Measures): string[] {
  const { widths, before, paper, clips } = measures;
  const room = paper.width - before;
  const last = cells.at(-1) ?? "";
  // A reason that is cut off says nothing.
  const fits = clips || widthOf(last) <= room;
  const shown = fits ? cells : [...cells.slice(0, -1), ""];
  // No room even for what comes before the last cell: then without colours, which cannot be cut.
  const isTooWide = room < 0;
  const text = rowText(columns, shown, widths, room, isTooWide ? undefined : paper).trimEnd();
  const line = isTooWide ? clipTo(paper.width, text) : text;
  const own = fits ? [] : paper.paragraph(last, null, INDENT);
  return [line, ...own, ...below.map((extra) => paper.line(extra, "dim", INDENT + 2))];
}

function rowText(
  columns: readonly Column[],
  cells: readonly string[],
  widths: readonly number[],
  room: number,
  paper?: Paper,
): string {
  return columns
    .map(({ align = "end", styleOf }, index) => {
      const cell = cells[index] ?? "";
      if (index === columns.length - 1) return clipTo(room, cell);
      const width = widths[index] ?? 0;
      const padded = padTo(width, clipTo(width, cell), align);
      const style = styleOf?.(cell);
      return style === undefined || paper === undefined ? padded : paper.style(style, padded);
    })
    .join(GAP);
}
