// The diagnostics of a program under `meanwhile run`: what it is told to switch on, and what it tells of at the end.

import { channel } from "node:diagnostics_channel";
import { isMainThread } from "node:worker_threads";

import { type Block, offerDiagnostics, type Warning } from "meanwhile/diagnostics";

import { renderTroubles } from "./troubles.ts";

/** What the command tells the program that it starts. */
export interface DiagnosticsSettings {
  /** Whether there are any. */
  readonly diagnostics: boolean;
  /** Whether they tell at the end what they have seen. */
  readonly report: boolean;
  /** The file to record to; null for none. */
  readonly record: string | null;
  /** What whoever asks may do beyond looking. */
  readonly allow: ReadonlyArray<"cancel">;
}

/** As an argument of the program. */
export function writeSettings(settings: DiagnosticsSettings): string {
  return JSON.stringify(settings);
}

/** From that argument. */
export function readSettings(text: string): DiagnosticsSettings {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by writeSettings() of the same version
  return JSON.parse(text) as DiagnosticsSettings;
}

/** Switches them on. What the program switches on itself takes their place. */
export function beginDiagnostics({ diagnostics, report, record, allow }: DiagnosticsSettings): void {
  if (!diagnostics || !isMainThread) return;
  // The task that loads the program is not one of it.
  offerDiagnostics({ level: 2, record: record ?? undefined, allow }, 1);
  if (report) tellAtExit();
}

function tellAtExit(): void {
  const warnings = new Map<number, Warning>();
  const blocks = new Map<number, Block>();
  channel("meanwhile:warning").subscribe((message) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only our diagnostics publish on it
    const warning = message as Warning;
    warnings.set(warning.id, warning);
  });
  channel("meanwhile:blocked").subscribe((message) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only our diagnostics publish on it
    const block = message as Block;
    blocks.set(block.id, block);
  });
  process.once("exit", () => {
    process.stderr.write(renderTroubles([...warnings.values()], [...blocks.values()]));
  });
}
