// A cluster of 100 workers, on paper: what each side would have to do, from what a job was measured to cost. Written into
// docs/cluster.md between two marks, so that it cannot differ from what was measured.
//
// The model: all of it is linear. Each job costs the client, the server and its worker what it costs with one worker; what a
// worker does beside its jobs is left out, as it is a few commands a second.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { readResult } from "./results.ts";
import { number } from "./table.ts";

const PAGE = join(import.meta.dirname, "..", "..", "docs", "cluster.md");
const BEGIN = "<!-- paper: written by bench/run.ts -->";
const END = "<!-- end of paper -->";

const WORKERS = 100;
const THREADS = 8;
const JOBS_MS = [1_000, 100, 10];

/** CPU µs that a job which does nothing takes, by where. */
interface Costs {
  readonly client: number;
  readonly server: number;
  readonly worker: number;
}

const SERVERS = [
  { row: "cluster", name: "Redis", isOneThread: true },
  { row: "cluster-postgres", name: "PostgreSQL", isOneThread: false },
] as const;
type QueueServer = (typeof SERVERS)[number];

/** Writes the page anew from the results, as far as there are any. */
export function updatePaper(): void {
  const text = readFileSync(PAGE, "utf8");
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`docs/cluster.md must have the line ${BEGIN}, and below it ${END}`);
  const parts = SERVERS.flatMap((server) => paperFor(server));
  if (parts.length === 0) return;
  writeFileSync(PAGE, `${text.slice(0, begin)}${BEGIN}\n\n${parts.join("\n\n")}\n\n${text.slice(end)}`);
}

function paperFor(server: QueueServer): string[] {
  const [ours, bare] = [costsOf(server.row, "cluster"), costsOf(server.row, "BullMQ")];
  if (ours === null || bare === null) return [];
  const { name } = server;
  return [
    `With ${name} a job that does nothing takes ${costText(ours)}; with BullMQ alone ${costText(bare)}. With ${WORKERS} workers of ${THREADS} threads, for jobs that take so long:`,
    table(name, ours),
    firstFull(server, ours),
  ];
}

function costsOf(row: string, peer: string): Costs | null {
  const figures = readResult(row)?.peers.find((one) => one.peer === peer)?.figures;
  const [client, server, worker] = ["client", "server", "worker"].map((key) => figures?.[key]?.median);
  if (client === undefined || server === undefined || worker === undefined) return null;
  return { client, server, worker };
}

function costText({ client, server, worker }: Costs): string {
  return `${number(client)} µs of CPU in the client, ${number(server)} in the server and ${number(worker)} in the worker`;
}

function table(name: string, { client, server, worker }: Costs): string {
  const rows = JOBS_MS.map((ms) => {
    const rate = (WORKERS * THREADS * 1_000) / ms;
    const shares = [rate * server, (rate / WORKERS) * worker, rate * client];
    return [ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`, number(rate), ...shares.map(coresText)];
  });
  return markdown([["a job takes", "jobs a second", name, "each worker", "a client that asks for all"], ...rows]);
}

/** @param perSecond - µs of CPU in a second */
function coresText(perSecond: number): string {
  const cores = perSecond / 1_000_000;
  if (cores < 0.001) return "< 0.1 % of a core";
  return cores < 1
    ? `${number(Number((cores * 100).toPrecision(2)))} % of a core`
    : `${number(Number(cores.toPrecision(2)))} cores`;
}

/** How many jobs a second each of them can do at most, the least first. */
function firstFull({ name, isOneThread }: QueueServer, { client, server, worker }: Costs): string {
  const limits = [
    { who: isOneThread ? name : `a core of ${name}`, rate: 1_000_000 / server },
    { who: "a client", rate: 1_000_000 / client },
    { who: `the ${WORKERS} workers`, rate: (WORKERS * 1_000_000) / worker },
  ].toSorted((one, other) => one.rate - other.rate);
  const [first, ...others] = limits.map(
    ({ who, rate }) => `${who}, at ${number(Number(rate.toPrecision(2)))} jobs a second`,
  );
  return `First full is ${first}; then ${others.join("; then ")}.`;
}

function markdown(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}
