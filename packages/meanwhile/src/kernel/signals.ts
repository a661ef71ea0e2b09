// SIGINT and SIGTERM become cancellation of the main tasks. All runs share one process listener.
//
//   idle ──first signal──▶ cancelling ──second signal──▶ the process ends at once

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** The signals that are handled. */
export type HandledSignal = keyof typeof EXIT_CODES;

type SignalListener = (signal: HandledSignal) => void;

const listeners = new Set<SignalListener>();
let received = false;
let exitCode: number | undefined;

/** Tells `listener` of the first signal until the result is disposed. */
export function joinSignalHandling(listener: SignalListener): Disposable {
  if (listeners.size === 0) {
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  }
  listeners.add(listener);
  return {
    [Symbol.dispose](): void {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      received = false;
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}

function onSignal(signal: HandledSignal): void {
  // Set at the very end: by then the program may have set another code, or failed with the cancellation.
  if (exitCode === undefined) process.once("exit", setExitCode);
  exitCode = EXIT_CODES[signal];
  if (received) process.exit();
  received = true;
  for (const listener of listeners) listener(signal);
}

function setExitCode(): void {
  process.exitCode = exitCode;
}
