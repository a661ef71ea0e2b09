// `meanwhile ps` without a pid: the programs that can be asked.

import { basename } from "node:path";

import { gather, timeout, TimeoutError } from "meanwhile";
import { type Hello, type ListedProgram, listPrograms, type Snapshot } from "meanwhile/diagnostics";

import { CommandError, EXIT } from "../errors.ts";
import { toSafeJson } from "../output/escape.ts";
import { formatCount, formatMs } from "../output/format.ts";
import { print } from "../output/streams.ts";
import { askState } from "./ask.ts";
import { currentWarnings } from "./overview.ts";
import { Paper, safe } from "./paper.ts";
import { renderTable } from "./table.ts";
import { nameOf } from "./target.ts";

/** A program that is stopped must not hold up the list. */
const PATIENCE_MS = 2_000;
const AT_ONCE = 8;

interface Answered {
  readonly program: ListedProgram;
  /** Null if it does not answer. */
  readonly state: { readonly hello: Hello; readonly snapshot: Snapshot } | null;
}

/**
 * Prints them, and returns the exit code.
 *
 * Cancellation: safe.
 */
export async function showPrograms(asJson: boolean): Promise<number> {
  const asked = await gather(
    listPrograms().map((program) => () => askInTime(program)),
    { concurrency: AT_ONCE },
  );
  const found = asked.filter((answered) => answered !== null);
  if (asJson) print(`${toSafeJson(found.map(jsonOf))}\n`);
  else print(renderPrograms(found, Paper.ofStdout()));
  return EXIT.ok;
}

/** Null if the program is there no longer: killed, it has left its socket behind. */
async function askInTime(program: ListedProgram): Promise<Answered | null> {
  try {
    return { program, state: await timeout(PATIENCE_MS, () => askState(program, "?stacks=0")) };
  } catch (error) {
    if (error instanceof TimeoutError) return { program, state: null };
    if (error instanceof CommandError) return null;
    throw error;
  }
}

function jsonOf({ program, state }: Answered): object {
  const { pid, thread, socket } = program;
  if (state === null) return { pid, thread, socket, answers: false };
  const { hello, snapshot } = state;
  const { counts, blocked, atMs, cycles } = snapshot;
  const warnings = currentWarnings(snapshot.warnings);
  return {
    pid,
    thread,
    socket,
    answers: true,
    program: hello.program,
    level: hello.level,
    atMs,
    counts,
    blocked,
    cycles,
    warnings,
  };
}

function renderPrograms(found: readonly Answered[], paper: Paper): string {
  if (found.length === 0) {
    return "No program can be asked: start one with meanwhile run, or call startDiagnostics() in it.\n";
  }
  const columns = [
    { title: "PID", align: "start" },
    { title: "PROGRAM" },
    { title: "UP", align: "start" },
    { title: "TASKS", align: "start" },
    { title: "WAITING", align: "start" },
    { title: "STATE" },
  ] as const;
  const rows = found.map((answered) => ({ cells: [nameOf(answered.program), ...cellsOf(answered)], below: [] }));
  return `${renderTable(columns, rows, paper).join("\n")}\n`;
}

function cellsOf({ state }: Answered): string[] {
  if (state === null) return ["?", "", "", "", "does not answer"];
  const { hello, snapshot } = state;
  const { atMs, tasks, blocked, cycles, warnings } = snapshot;
  const waiting = tasks.filter(({ activity }) => activity === "waiting").length;
  const count = currentWarnings(warnings).length;
  const troubles = [
    ...(blocked === null ? [] : [`loop blocked for ${formatMs(blocked.durationMs)}`]),
    ...(cycles.length === 0 ? [] : ["tasks wait in a circle"]),
    ...(count === 0 ? [] : [`${formatCount(count)} warning${count === 1 ? "" : "s"}`]),
  ];
  const name = safe(basename(hello.program.script)) || "(no script)";
  return [name, formatMs(atMs), formatCount(tasks.length), formatCount(waiting), troubles.join(", ") || "ok"];
}
