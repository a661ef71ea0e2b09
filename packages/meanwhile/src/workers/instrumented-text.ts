// The text of a function that was instrumented calls a runtime, and names tables of its file. In a thread that has neither, these
// take their place: every hook gives back what it was given, so the function does what its source says.

/** Whatever is looked up in a table. */
const SITES: object = new Proxy({}, { get: () => SITES });

const NOTHING: Disposable & AsyncDisposable = {
  [Symbol.dispose](): void {},
  async [Symbol.asyncDispose](): Promise<void> {},
};

/** The hooks that do not give back their last argument. */
const OTHERS: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
  e: () => ({}),
  u: () => NOTHING,
  v: () => NOTHING,
  s: (value) => value,
  t: (value) => value,
};

const RUNTIME: object = new Proxy(
  {},
  { get: (_target, hook) => OTHERS[String(hook)] ?? ((...args: unknown[]) => args.at(-1)) },
);

/** What the text of a function refers to that is not of its own making, by name; nothing for one that is plain. */
export function standInsFor(text: string): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  if (/\b__mw\b/.test(text)) found["__mw"] = RUNTIME;
  if (/\b__mws\b/.test(text)) found["__mws"] = SITES;
  // Frames: its own are constants of it, those around it are these.
  for (const [frame] of text.matchAll(/\b__mwf\d+\b/g)) found[frame] = {};
  return found;
}
