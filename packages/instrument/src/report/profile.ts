// Where a program waited and where it was busy, counted while it runs. On only with a report: it reads the time twice at
// every await.

import type { Frame, FunctionSite, WaitSite } from "meanwhile/lowlevel";

import type { Runtime } from "../runtime.ts";

/** Counts and times of one place; milliseconds. */
export interface Times {
  count: number;
  totalMs: number;
  maxMs: number;
}

/** A frame with the place where it waits and the moment it began to. */
type Timed = Frame & { waitsAt?: WaitSite | undefined; waitsSince?: number };

type Method = (this: unknown, ...given: unknown[]) => unknown;

/** What was counted so far. */
export class Profile {
  /** Each place where instrumented code waited. */
  readonly waits: Map<WaitSite, Times> = new Map();
  /** Each function: how often it was called, and how long its own code ran, without what it called and waited for. */
  readonly functions: Map<FunctionSite, Times> = new Map();
  readonly #now: () => number;
  // Whose code is running, and since when.
  #runs: FunctionSite | null = null;
  #since = 0;
  #endsSoon = false;

  /** @param now - gives the time in milliseconds. Default: that of the process */
  constructor(now: () => number = performance.now.bind(performance)) {
    this.#now = now;
  }

  /** A runtime that does what `runtime` does and counts. */
  watch(runtime: Runtime): Runtime {
    const waiting = <Given extends [Frame, ...unknown[]], Awaited>(
      wait: (...given: Given) => Awaited,
    ): ((...given: Given) => Awaited) => {
      return (...given) => {
        const [frame] = given;
        const caller = frame.outer;
        const awaited = wait(...given);
        this.#waits(frame, caller);
        return awaited;
      };
    };
    const resuming = <Given extends [Frame, ...unknown[]], Result>(
      resume: (...given: Given) => Result,
    ): ((...given: Given) => Result) => {
      return (...given) => {
        const result = resume(...given);
        this.#resumes(given[0]);
        return result;
      };
    };
    return {
      ...runtime,
      e: (site, around) => {
        const frame = runtime.e(site, around);
        this.#switchTo(site);
        timesOf(this.functions, site).count += 1;
        return frame;
      },
      x: (frame) => {
        this.#waited(frame);
        const caller = frame.outer;
        runtime.x(frame);
        this.#switchTo(siteOf(caller));
      },
      a: waiting(runtime.a),
      k: waiting(runtime.k),
      r: (frame, value) => {
        this.#resumes(frame);
        return runtime.r(frame, value);
      },
      c: resuming(runtime.c),
      c2: resuming(runtime.c2),
      it: (frame, at, iterable) => this.#timed(frame, runtime.it(frame, at, iterable)),
      z: (frame, at, value) => {
        const caller = frame.outer;
        const yielded = runtime.z(frame, at, value);
        // Who is asked next waits for nothing: it is the others who have not asked yet.
        this.#switchTo(siteOf(caller));
        return yielded;
      },
      y: (frame, value) => {
        const result = runtime.y(frame, value);
        this.#switchTo(siteOf(frame));
        return result;
      },
    };
  }

  #waits(frame: Timed, caller: Frame | null): void {
    frame.waitsAt = frame.site.file.waits[frame.at];
    frame.waitsSince = this.#now();
    this.#switchTo(siteOf(caller));
  }

  #resumes(frame: Timed): void {
    this.#waited(frame);
    this.#switchTo(siteOf(frame));
  }

  #waited(frame: Timed): void {
    const { waitsAt, waitsSince = 0 } = frame;
    if (waitsAt === undefined) return;
    frame.waitsAt = undefined;
    add(timesOf(this.waits, waitsAt), this.#now() - waitsSince, 1);
  }

  /** What `for await` iterates: the language asks it, and waits for each answer. */
  #timed(frame: Frame, iterable: unknown): unknown {
    const open: unknown = isOutside(frame) ? undefined : Object(iterable)[Symbol.asyncIterator];
    if (typeof open !== "function") return iterable;
    const iterator: Record<"next" | "return", unknown> = open.call(iterable);
    const asking =
      (method: Method): Method =>
      (...given) => {
        const caller = frame.outer;
        const answer = method.apply(iterator, given);
        this.#waits(frame, caller);
        return answer;
      };
    const timed = {
      [Symbol.asyncIterator]: () => timed,
      next: typeof iterator.next === "function" ? asking(iterator.next.bind(iterator)) : iterator.next,
      get return() {
        const method = iterator.return;
        return typeof method === "function" ? asking(method.bind(iterator)) : method;
      },
    };
    return timed;
  }

  #switchTo(site: FunctionSite | null): void {
    const time = this.#now();
    if (this.#runs !== null) add(timesOf(this.functions, this.#runs), time - this.#since, 0);
    this.#runs = site;
    this.#since = time;
    if (site === null || this.#endsSoon) return;
    // Some waits have no hook where they begin, like that at the end of an `await using`. Code that runs without a wait
    // has ended when the next microtask begins.
    this.#endsSoon = true;
    queueMicrotask(() => {
      this.#endsSoon = false;
      this.#switchTo(null);
    });
  }
}

/** All code outside of runs shares one frame, of no function: it is not counted. */
function isOutside({ site }: Frame): boolean {
  return site.line === 0;
}

function siteOf(frame: Frame | null): FunctionSite | null {
  return frame === null || isOutside(frame) ? null : frame.site;
}

function timesOf<Site>(all: Map<Site, Times>, site: Site): Times {
  let times = all.get(site);
  if (times === undefined) all.set(site, (times = { count: 0, totalMs: 0, maxMs: 0 }));
  return times;
}

function add(times: Times, ms: number, count: number): void {
  times.count += count;
  times.totalMs += ms;
  if (ms > times.maxMs) times.maxMs = ms;
}
