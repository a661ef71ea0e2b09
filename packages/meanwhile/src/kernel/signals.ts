// SIGINT and SIGTERM become cancellation of the main tasks. All runs share one process listener.
//
//   idle ──first signal──▶ cancelling ──second signal──▶ the process ends at once
//
// A listener takes its default away from a signal, and libraries look how many there are. So who yields to the program
// has none while the program has one: then all is as without us.

// Taken at load time, so that test tools that replace the globals do not reach into the runtime.
const nextTick = process.nextTick.bind(process);

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** The signals that are handled. */
export type HandledSignal = keyof typeof EXIT_CODES;

const SIGNALS: readonly HandledSignal[] = ["SIGINT", "SIGTERM"];

interface Joined {
  readonly listener: (signal: HandledSignal) => void;
  /** Whether it is not told while anybody else listens. */
  readonly yields: boolean;
}

const joined = new Set<Joined>();
let received = false;
let exitCode: number | undefined;

/** Tells `listener` of the first signal until the result is disposed; if it yields, not while the program listens itself. */
export function joinSignalHandling(
  listener: (signal: HandledSignal) => void,
  { yields = false }: { readonly yields?: boolean } = {},
): Disposable {
  const own: Joined = { listener, yields };
  joined.add(own);
  listenWhereNeeded();
  return {
    [Symbol.dispose](): void {
      joined.delete(own);
      if (joined.size === 0) received = false;
      listenWhereNeeded();
    },
  };
}

function listenWhereNeeded(): void {
  const mayYield = [...joined].some(({ yields }) => yields);
  for (const event of ["newListener", "removeListener"] as const) {
    process.off(event, lookAgain);
    if (mayYield) process.on(event, lookAgain);
  }
  for (const signal of SIGNALS) listenIfNeeded(signal);
}

function listenIfNeeded(signal: HandledSignal): void {
  const others = othersFor(signal);
  const isNeeded = [...joined].some(({ yields }) => !yields || others === 0);
  const listens = process.listenerCount(signal) > others;
  if (isNeeded && !listens) process.on(signal, onSignal);
  if (!isNeeded && listens) process.off(signal, onSignal);
}

function othersFor(signal: HandledSignal): number {
  return process.listeners(signal).filter((listener) => listener !== onSignal).length;
}

// Later: Node asks for the signal with the first listener that comes, and gives it back with the last one that goes.
function lookAgain(event: string | symbol, listener: unknown): void {
  if (isHandled(event) && listener !== onSignal) nextTick(listenIfNeeded, event);
}

function isHandled(event: string | symbol): event is HandledSignal {
  return event === "SIGINT" || event === "SIGTERM";
}

function onSignal(signal: HandledSignal): void {
  // Set at the very end: by then the program may have set another code, or failed with the cancellation.
  if (exitCode === undefined) process.once("exit", setExitCode);
  exitCode = EXIT_CODES[signal];
  if (received) process.exit();
  received = true;
  const others = othersFor(signal);
  for (const { listener, yields } of joined) if (!yields || others === 0) listener(signal);
}

function setExitCode(): void {
  process.exitCode = exitCode;
}
