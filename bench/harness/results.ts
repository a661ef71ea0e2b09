// What is kept of a row: `results/<row>.json`.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";

import { type Figure, type Measured, PEAK_MEMORY, type Row, type Target, targetText } from "./row.ts";
import { rounded, type Spread, spreadOf } from "./statistics.ts";

const DIRECTORY = join(import.meta.dirname, "..", "results");

export interface PeerResult {
  readonly peer: string;
  readonly ours: boolean;
  readonly versions: string;
  readonly figures: Readonly<Record<string, Spread>>;
}

export interface TargetResult {
  readonly text: string;
  readonly figure: string;
  /** What is compared, ours beside the peer, of each round. */
  readonly ratio: Spread;
  readonly met: boolean;
}

export interface Result {
  readonly row: string;
  readonly title: string;
  readonly date: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly rounds: number;
  /** How busy the machine was with other things: its one-minute load before the first child. 0 is quiet. */
  readonly loadBefore: number;
  readonly figures: readonly Figure[];
  readonly peers: readonly PeerResult[];
  readonly targets: readonly TargetResult[];
  readonly skipped: readonly { readonly peer: string; readonly why: string }[];
}

/** The figures of every round, by peer. */
export type Rounds = ReadonlyMap<string, readonly Measured[]>;

export function summarize(
  row: Row,
  rounds: Rounds,
  versions: ReadonlyMap<string, string>,
  { skipped, loadBefore }: Pick<Result, "skipped" | "loadBefore">,
): Result {
  const figures = [...row.figures, PEAK_MEMORY];
  const measured = row.peers.filter(({ name }) => rounds.has(name));
  return {
    row: row.name,
    title: row.title,
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    rounds: Math.max(...[...rounds.values()].map(({ length }) => length)),
    loadBefore,
    figures,
    peers: measured.map(({ name, ours = false }) => ({
      peer: name,
      ours,
      versions: versions.get(name) ?? "",
      figures: figuresOf(figures, rounds.get(name) ?? []),
    })),
    targets: row.targets.flatMap((target) => compare(target, figures, rounds)),
    skipped,
  };
}

function figuresOf(figures: readonly Figure[], rounds: readonly Measured[]): Record<string, Spread> {
  const entries = figures.map(({ key }) => [key, rounds.flatMap((round) => round[key] ?? [])] as const);
  return Object.fromEntries(entries.filter(([, all]) => all.length > 0).map(([key, all]) => [key, spreadOf(all)]));
}

// Each round is compared by itself: a machine that is slower for a while is so for both.
function compare(target: Target, figures: readonly Figure[], rounds: Rounds): TargetResult[] {
  const ours = rounds.get(target.ours);
  const theirs = rounds.get(target.beside);
  const figure = figures.find(({ key }) => key === target.figure);
  if (ours === undefined || theirs === undefined || figure === undefined) return [];
  // `cost` is the quotient where less is better, and its inverse where more is.
  const inverse = (target.compares === "speed") === (figure.better === "less");
  const ratio = spreadOf(
    ours.flatMap((mine, round) => {
      const [one, other] = [mine[figure.key] ?? Number.NaN, theirs[round]?.[figure.key] ?? Number.NaN];
      const compared = target.compares === "added" ? one - other : one / other;
      return Number.isFinite(compared) ? [inverse ? 1 / compared : compared] : [];
    }),
  );
  const met = target.compares === "speed" ? ratio.median >= target.limit : ratio.median <= target.limit;
  return [{ text: targetText(target), figure: figure.label, ratio, met }];
}

/** What the medians are of, as in `median of 5 rounds (Effection 2)`. */
export function roundsText({ rounds, peers }: Result): string {
  const fewer = peers.flatMap(({ peer, figures }) => {
    const own = Math.max(...Object.values(figures).map(({ values }) => values.length));
    return own < rounds ? [`${peer} ${own}`] : [];
  });
  return `median of ${rounds} rounds${fewer.length === 0 ? "" : ` (${fewer.join(", ")})`}`;
}

function machine(): Record<string, string | number> {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    v8: process.versions.v8,
  };
}

export function writeResult(result: Result, chart: string): void {
  mkdirSync(DIRECTORY, { recursive: true });
  const text = JSON.stringify(result, (_, value: unknown) => (typeof value === "number" ? rounded(value) : value), 2);
  writeFileSync(join(DIRECTORY, `${result.row}.json`), `${text}\n`);
  writeFileSync(join(DIRECTORY, `${result.row}.svg`), chart);
}

/** The kept result of a row; null if it was never measured. */
export function readResult(row: string): Result | null {
  const file = join(DIRECTORY, `${row}.json`);
  if (!existsSync(file)) return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by writeResult, and by nobody else
  return JSON.parse(readFileSync(file, "utf8")) as Result;
}
