// Used inside the children: how work is repeated and timed. The Python peers do the same in `python/measuring.py`.

import { readFileSync } from "node:fs";

import type { Measured } from "./row.ts";

const WARM_UP_MS = 1_000;
const MEASURED_MS = 3_000;
const FEWEST_REPETITIONS = 2;

/** What one repetition has cost on average. */
interface Cost {
  readonly wallMs: number;
  /** Of all threads, garbage collection included. */
  readonly cpuMs: number;
}

/**
 * Repeats the work for a second, to let the machine code and the heap settle, and then for three seconds that count.
 * The mean, not the median: what one repetition leaves behind is collected in a later one, and somebody has to pay.
 */
export async function costOf(work: () => unknown): Promise<Cost> {
  await repeated(work, WARM_UP_MS, 1);
  const cpuBefore = process.cpuUsage();
  const { repetitions, wallMs } = await repeated(work, MEASURED_MS, FEWEST_REPETITIONS);
  const cpu = process.cpuUsage(cpuBefore);
  return { wallMs: wallMs / repetitions, cpuMs: (cpu.user + cpu.system) / 1000 / repetitions };
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
