// In debug mode somebody looks after the event loop. Whoever does is built on the kernel, so the kernel finds it by its public
// name, and only when it is wanted: neither the layers nor the bundles of other programs know of it.

import { isMainThread } from "node:worker_threads";

// Not a literal: bundlers leave it alone. A program bundled without its packages has no watchdog in debug mode.
const DIAGNOSTICS: string = "meanwhile/diagnostics";

let isWatched = false;

/** Looks after the event loop of this process from now on, unless somebody does. */
export function watchEventLoop(): void {
  if (isWatched || !isMainThread || "Bun" in globalThis || "Deno" in globalThis) return;
  isWatched = true;
  import(DIAGNOSTICS).then(
    (diagnostics: { readonly watchEventLoop: () => void }) => diagnostics.watchEventLoop(),
    () => {},
  );
}
