// In debug mode somebody looks after the event loop. Whoever does is built on the kernel, so the kernel finds it by its public
// name, and only when it is wanted: neither the layers nor the bundles of other programs know of it.

import { createRequire } from "node:module";
import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";

// Not a literal: bundlers leave it alone. A program bundled without its packages has no watchdog in debug mode.
const DIAGNOSTICS: string = "meanwhile/diagnostics";

let isWatched = false;

/** Set for the threads of a process that is watched, among the environment data of worker threads. */
const INHERITED = "meanwhile.watchEventLoop";

/** Whether the threads that this one starts are to be watched, too, from their first run on. */
export function watchOtherThreads(wanted: boolean): void {
  setEnvironmentData(INHERITED, wanted);
}

/** Whether that was wanted in the thread that has started this one. */
export function isWatchInherited(): boolean {
  return !isMainThread && getEnvironmentData(INHERITED) === true;
}

interface DiagnosticsModule {
  readonly watchEventLoop: () => void;
}

/** Looks after the event loop of this thread from now on, unless somebody does, or the host is another one than Node. */
export function watchEventLoop(): void {
  if (isWatched) return;
  isWatched = true;
  try {
    // Not import(): what is to be watched may block the loop as the first thing it does.
    const diagnostics: DiagnosticsModule = createRequire(import.meta.url)(DIAGNOSTICS);
    diagnostics.watchEventLoop();
  } catch {
    // Not there, or somebody is importing it just now.
    import(DIAGNOSTICS).then(
      (diagnostics: DiagnosticsModule) => diagnostics.watchEventLoop(),
      () => {},
    );
  }
}

let diagnostics = 0;

/** Diagnostics are on in this thread from now on, or no longer. */
export function noteDiagnostics(on: boolean): void {
  diagnostics += on ? 1 : -1;
}

/** Whether diagnostics of any kind are on in this thread: then others may be told what its code waits for. */
export function areDiagnosticsOn(): boolean {
  return diagnostics > 0;
}
