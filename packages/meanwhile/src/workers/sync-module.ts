// A module whose functions are called from code that cannot await, and the thread that is kept for it.

import type { ResourceLimits, WorkerOptions } from "node:worker_threads";

import { checkOptions, isTime } from "../util/arguments.ts";
import { show } from "../util/show.ts";
import { WorkerError } from "./errors.ts";
import { checkNames } from "./settings.ts";
import { type SyncOutcome, SyncThread } from "./sync-thread.ts";

// Taken at load time, so that test tools that replace the globals do not reach into the runtime.
const { setTimeout, clearTimeout } = globalThis;

const DEFAULT_GRACE_MS = 1_000;
const DEFAULT_IDLE_TIMEOUT_MS = 30_000;
/** Node's longest timer; a longer one would fire at once. */
const LONGEST_MS = 2_147_483_647;

/** Options of {@link SyncModule}. */
export interface SyncModuleOptions {
  /** Milliseconds after which a call is cancelled and ends in `TimeoutError`. Default: none. */
  readonly timeoutMs?: number | undefined;
  /** Milliseconds that a cancelled call has to clean up, before its thread is terminated. Default: 1 000. */
  readonly graceMs?: number | undefined;
  /** Milliseconds without a call after which the thread is ended; the next call starts one. Default: 30 000. */
  readonly idleTimeoutMs?: number | undefined;
  /** Limits of the thread's memory. Default: those of Node. */
  readonly resourceLimits?: ResourceLimits | undefined;
  /** The environment variables of the thread. Default: a copy of this thread's. */
  readonly env?: NodeJS.Dict<string> | undefined;
  /** Options of Node for the thread. Default: those of this process, so TypeScript and `--import` work as here. */
  readonly execArgv?: readonly string[] | undefined;
}

const OPTIONS = ["timeoutMs", "graceMs", "idleTimeoutMs", "resourceLimits", "env", "execArgv"] satisfies Array<
  keyof SyncModuleOptions
>;

/**
 * A module for `runSync`, with options for all calls. Its thread starts with the first call, is kept for the next one and
 * does not keep the process alive. Leaving the block ends it.
 *
 * @example
 * ```ts
 * import { runSync, SyncModule } from "meanwhile/workers";
 *
 * using paths = new SyncModule<typeof import("node:path")>("node:path", { timeoutMs: 60_000 });
 * console.log(runSync(paths, "basename", "/tmp/report.txt")); //> report.txt
 * ```
 */
export class SyncModule<M = Readonly<Record<string, (...args: never[]) => unknown>>> implements Disposable {
  /** @internal Only there for its type. */
  declare readonly exports?: M;
  /** The URL of the module. */
  readonly url: string;
  readonly #options: WorkerOptions;
  readonly #timeoutMs: number;
  readonly #graceMs: number;
  readonly #idleTimeoutMs: number;
  #thread: SyncThread | null = null;
  #idle: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param module - a URL, absolute or of a built-in module
   * @throws {@link WorkerError} `MW_ERR_WORKER_INVALID_ARGUMENT` for a bad URL or option
   */
  constructor(module: URL | string, options: SyncModuleOptions = {}) {
    this.url = checkUrl(module);
    checkOptions("SyncModule", options, "{ timeoutMs: 500 }");
    checkNames("make a SyncModule", options, OPTIONS);
    const { timeoutMs = Infinity, graceMs = DEFAULT_GRACE_MS, idleTimeoutMs = DEFAULT_IDLE_TIMEOUT_MS } = options;
    for (const [name, value] of Object.entries({ timeoutMs, graceMs, idleTimeoutMs })) {
      if (!isTime(value) || value < 0) throw bad(name, value, "milliseconds >= 0, or Infinity");
    }
    const { resourceLimits, env, execArgv } = options;
    this.#timeoutMs = timeoutMs;
    this.#graceMs = graceMs;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#options = {
      name: "runSync",
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
      ...(env === undefined ? {} : { env }),
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    };
  }

  /** How long a call may take, in milliseconds. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** @internal Makes a call and stops this thread until it has ended. */
  call(name: string, args: readonly unknown[]): SyncOutcome {
    clearTimeout(this.#idle);
    if (this.#thread?.isDead === true) this[Symbol.dispose]();
    const isNew = this.#thread === null;
    const thread = (this.#thread ??= this.#start());
    const outcome = thread.call(name, args, this.#timeoutMs, this.#graceMs);
    if (!ENDS_THREAD.has(outcome.kind)) {
      this.#endWhenIdle();
      return outcome;
    }
    this[Symbol.dispose]();
    // A kept thread that ended just now, of itself, has done nothing for this call.
    const isToBlame = outcome.kind !== "dead" || isNew || thread.hasBegun;
    return isToBlame ? outcome : this.call(name, args);
  }

  #start(): SyncThread {
    try {
      return new SyncThread(this.url, this.#options);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new WorkerError("MW_ERR_WORKER_MODULE", `Cannot start a thread for ${this.url}: ${text}`, { cause: error });
    }
  }

  #endWhenIdle(): void {
    if (this.#idleTimeoutMs > LONGEST_MS) return;
    this.#idle = setTimeout(() => this[Symbol.dispose](), this.#idleTimeoutMs).unref();
  }

  /** Ends the thread. The next call would start another. */
  [Symbol.dispose](): void {
    clearTimeout(this.#idle);
    this.#thread?.terminate();
    this.#thread = null;
  }
}

const ENDS_THREAD: ReadonlySet<string> = new Set<SyncOutcome["kind"]>(["dead", "lost", "module"]);

const modules = new Map<string, SyncModule>();

/** The one that is kept for all calls of a URL. */
export function keptModule(module: URL | string): SyncModule {
  const url = checkUrl(module);
  let kept = modules.get(url);
  if (kept === undefined) modules.set(url, (kept = new SyncModule(url)));
  return kept;
}

function checkUrl(module: unknown): string {
  const isUrl = module instanceof URL || (typeof module === "string" && URL.canParse(module));
  if (isUrl) return String(module);
  throw bad("module", module, 'a URL, like new URL("./api.ts", import.meta.url)');
}

function bad(parameter: string, value: unknown, wanted: string): WorkerError {
  return new WorkerError(
    "MW_ERR_WORKER_INVALID_ARGUMENT",
    `Cannot call a function of a module: '${parameter}' is ${show(value)}; pass ${wanted}`,
  );
}
