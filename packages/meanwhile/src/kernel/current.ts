// Which scope the running code is in, and that there is only one answer in a process.

import { UsageError } from "../errors.ts";
import { enteredScope } from "./context.ts";
import { outsideRunner } from "./runner.ts";
import type { Scope } from "./scope.ts";

// Where code is that was entered without a context: request handlers of Node's servers, messages of ports.
let contextless: Scope = outsideRunner.root;

/**
 * Until the result is disposed, code that has no context of its own belongs to the scope, as if it had been started there.
 * For who runs a whole program.
 */
export function adoptContextless(scope: Scope): Disposable {
  const before = contextless;
  contextless = scope;
  return {
    [Symbol.dispose](): void {
      contextless = before;
    },
  };
}

/** The innermost live scope of the running code; outside of everything, the scope that is never cancelled. */
export function currentScopeNode(): Scope {
  let scope = enteredScope() ?? contextless;
  // Code can outlive its scope (a promise that nobody awaited): it then belongs to the scope around it.
  while (scope.closed && scope.parent !== null) scope = scope.parent;
  return scope;
}

const COPY: unique symbol = Symbol.for("meanwhile.kernel") as never;
const registry = globalThis as { [COPY]?: string };

/**
 * Notes where the kernel was loaded from. Two copies would be two notions of the current task: cancellation would stop
 * at the border unseen.
 */
export function refuseSecondCopy(url: string): void {
  const here = url.replace(/[?#].*$/, "");
  const first = (registry[COPY] ??= here);
  if (first === here) return;
  throw new UsageError(
    "MW_ERR_TWO_COPIES",
    `Cannot load meanwhile twice: ${first} and ${here}; install one version, as a dependency of the program`,
  );
}

refuseSecondCopy(import.meta.url);
