// Used inside the children: how work is repeated and timed. The Python peers do the same in `python/measuring.py`.

import { readFileSync } from "node:fs";

import type { Measured } from "./row.ts";

/** How long work is repeated. */
export interface Duration {
  /** Before it counts: lets the machine code and the heap settle. */
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

const USUAL: Duration = { warmUpMs: 700, measuredMs: 1_500 };
/** For work whose speed depends on more than this process, or of which only a part counts. */
export const LONG: Duration = { warmUpMs: 1_000, measuredMs: 3_000 };
const FEWEST_REPETITIONS = 2;

/** What one repetition has cost on average. */
interface Cost {
  readonly wallMs: number;
  /** Of all threads, garbage collection included. */
  readonly cpuMs: number;
}

/**
 * Repeats the work for a warm-up, and then for the time that counts.
 * The mean, not the median: what one repetition leaves behind is collected in a later one, and somebody has to pay.
 */
export async function costOf(work: () => unknown, duration: Duration = USUAL): Promise<Cost> {
  const fewest = await warmUp(work, duration);
  const cpuBefore = process.cpuUsage();
  const { repetitions, wallMs } = await repeated(work, duration.measuredMs, fewest);
  const cpu = process.cpuUsage(cpuBefore);
  return { wallMs: wallMs / repetitions, cpuMs: (cpu.user + cpu.system) / 1000 / repetitions };
}

/** Gives the number of repetitions that have to follow: one is enough if it takes longer than all that counts. */
async function warmUp(work: () => unknown, { warmUpMs, measuredMs }: Duration): Promise<number> {
  const { repetitions, wallMs } = await repeated(work, warmUpMs, 1);
  return wallMs / repetitions > measuredMs ? 1 : FEWEST_REPETITIONS;
}

async function repeated(
  work: () => unknown,
  enoughMs: number,
  fewest: number,
): Promise<{ repetitions: number; wallMs: number }> {
  const startedAt = performance.now();
  for (let repetitions = 1; ; repetitions++) {
    await work();
    const wallMs = performance.now() - startedAt;
    if (wallMs >= enoughMs && repetitions >= fewest) return { repetitions, wallMs };
  }
}

/** Wall time of one of `count` things that the work does. */
export async function microsecondsEach(count: number, work: () => unknown): Promise<Measured> {
  const { wallMs } = await costOf(work);
  return { wall: (wallMs * 1000) / count };
}

/** The same, if only a part of the work counts: `work` gives the milliseconds of that part. */
export async function microsecondsOfPart(count: number, work: () => Promise<number>): Promise<Measured> {
  let partMs = 0;
  const addedUp = async (): Promise<void> => {
    partMs += await work();
  };
  const fewest = await warmUp(addedUp, LONG);
  partMs = 0;
  const { repetitions } = await repeated(addedUp, LONG.measuredMs, fewest);
  return { wall: (partMs * 1000) / repetitions / count };
}

/** The same, of work that is done once in full size, so that peak memory is that of one time; the warm-up is smaller. */
export async function microsecondsOnce(count: number, work: (count: number) => unknown): Promise<Measured> {
  await repeated(() => work(count / 10), USUAL.warmUpMs, 1);
  const startedAt = performance.now();
  await work(count);
  return { wall: ((performance.now() - startedAt) * 1000) / count };
}

/** A peer that does less than the others must not be measured. */
export function check(what: string, value: number, expected: number): void {
  if (value !== expected) throw new Error(`${what}: ${value}, not ${expected}`);
}

/** The most memory this process ever had in RAM. */
export function peakMb(): number {
  // Linux hands ru_maxrss of the parent on to the child; VmHWM starts anew with each program.
  return highWaterMb("self") ?? process.resourceUsage().maxRSS / 1024;
}

/** The most memory that a running process had in RAM; null if Linux does not tell. */
export function highWaterMb(pid: number | "self" | undefined): number | null {
  try {
    const kb = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kb === undefined ? null : Number(kb) / 1024;
  } catch {
    return null; // it has ended, or this is not Linux
  }
}

/** Whole milliseconds from 1 to 100 that look random and are the same in every run and language. */
export function sleepTimes(count: number): number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return 1 + ((state >> 16) % 100);
  });
}
