// A function of the module in a worker, and what the worker knows of it.

/** Any function. */
export type Callable = (...args: unknown[]) => unknown;

/** The exported functions of a module. */
export type ModuleFunctions = ReadonlyArray<readonly [name: string, call: Callable]>;

/** A function of the module, and what it costs. */
export interface KnownFunction {
  readonly index: number;
  readonly name: string;
  readonly call: Callable;
  /** The newest calls, until the pool was told. */
  count: number;
  /** How long they took in all. */
  ms: number;
  /** How many jobs it has had. */
  jobs: number;
  /** The longest of them. It fades, slowly: to be wrong holds up replies, to be careful costs microseconds a job. */
  peakMs: number;
}

/** After how many jobs of a function it is believed that the next one does not take long either. */
const FEW = 8;

/** A function that was not called yet. */
export function newlyKnown(index: number, name: string, call: Callable): KnownFunction {
  return { index, name, call, count: 0, ms: 0, jobs: 0, peakMs: 0 };
}

/** Whether the next job of the function is expected to take no longer than so. */
export function isQuick({ jobs, peakMs }: KnownFunction, ms: number): boolean {
  return jobs >= FEW && peakMs <= ms;
}

/** A job of the function has taken so long, with so many calls. */
export function note(known: KnownFunction, calls: number, ms: number): void {
  known.count += calls;
  known.ms += ms;
  known.jobs += 1;
  known.peakMs = Math.max(ms, known.peakMs * 0.999);
}

/** The call with the arguments that stand in a message. */
export function bodyOf(call: Callable, message: readonly unknown[], at: number, end: number): () => unknown {
  // No list of arguments for the few that nearly all functions have.
  const [first, second] = [message[at], message[at + 1]];
  if (end - at === 1) return () => call(first);
  if (end - at === 2) return () => call(first, second);
  const args = message.slice(at, end);
  return () => call(...args);
}
