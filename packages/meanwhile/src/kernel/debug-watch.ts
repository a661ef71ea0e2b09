// In debug mode somebody looks after the event loop. Whoever does is built on the kernel, so the kernel finds it by its public
// name, and only when it is wanted: neither the layers nor the bundles of other programs know of it.

import { createRequire } from "node:module";

// Not a literal: bundlers leave it alone. A program bundled without its packages has no watchdog in debug mode.
const DIAGNOSTICS: string = "meanwhile/diagnostics";

let isWatched = false;

interface DiagnosticsModule {
  readonly watchEventLoop: () => void;
}

/** Looks after the event loop of this thread from now on, unless somebody does. */
export function watchEventLoop(): void {
  if (isWatched || "Bun" in globalThis || "Deno" in globalThis) return;
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
