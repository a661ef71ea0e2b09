// Where a program waited and where it was busy, counted while it runs. On only with a report: it reads the time twice at
// every await.

import type { Frame, FunctionSite, WaitSite } from "meanwhile/lowlevel";

import type { Runtime } from "../runtime.ts";

const now = performance.now.bind(performance);

/** Counts and times of one place; milliseconds. */
export interface Times {
  count: number;
  totalMs: number;
  maxMs: number;
}

/** A frame with the moment its wait began; 0 while it does not wait. */
type Timed = Frame & { waitsSince?: number };

/** What was counted so far. */
export class Profile {
  /** Each place where instrumented code waited. */
  readonly waits: Map<WaitSite, Times> = new Map();
  /** Each function: how often it was called, and how long its own code ran, without what it called and waited for. */
  readonly functions: Map<FunctionSite, Times> = new Map();
  // Whose code is running, and since when.
  #runs: FunctionSite | null = null;
  #since = 0;

  /** A runtime that does what `runtime` does and counts. */
  watch(runtime: Runtime): Runtime {
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
        this.#switchTo(caller?.site ?? null);
      },
      a: (frame, at, value) => {
        const caller = frame.outer;
        const awaited = runtime.a(frame, at, value);
        this.#waits(frame, caller);
        return awaited;
      },
      k: (frame, at, called, value) => {
        const caller = frame.outer;
        const awaited = runtime.k(frame, at, called, value);
        this.#waits(frame, caller);
        return awaited;
      },
      r: (frame, value) => {
        this.#resumes(frame);
        return runtime.r(frame, value);
      },
      c: (frame) => {
        this.#resumes(frame);
        runtime.c(frame);
      },
      c2: (frame) => {
        this.#resumes(frame);
        runtime.c2(frame);
      },
    };
  }

  #waits(frame: Timed, caller: Frame | null): void {
    frame.waitsSince = now();
    this.#switchTo(caller?.site ?? null);
  }

  #resumes(frame: Timed): void {
    this.#waited(frame);
    this.#switchTo(frame.site);
  }

  #waited(frame: Timed): void {
    const { waitsSince = 0 } = frame;
    const site = frame.site.file.waits[frame.at];
    if (waitsSince === 0 || site === undefined) return;
    frame.waitsSince = 0;
    add(timesOf(this.waits, site), now() - waitsSince, 1);
  }

  #switchTo(site: FunctionSite | null): void {
    const time = now();
    if (this.#runs !== null) add(timesOf(this.functions, this.#runs), time - this.#since, 0);
    this.#runs = site;
    this.#since = time;
  }
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
