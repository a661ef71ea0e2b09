// Times as lengths and as text: what the axis of a timeline needs.

import type { TimeMs } from "meanwhile/diagnostics";

/** A part of the time. */
export interface Span {
  readonly fromMs: TimeMs;
  readonly toMs: TimeMs;
}

const STEPS = [1, 2, 5];
const MINUTES = [60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000];

/** Round times in a span, at most `most` of them, counted from `originMs`. */
export function ticksOf({ fromMs, toMs }: Span, originMs: TimeMs, most: number): TimeMs[] {
  const step = stepOf((toMs - fromMs) / Math.max(1, most));
  const ticks: TimeMs[] = [];
  for (let at = Math.ceil((fromMs - originMs) / step); at * step <= toMs - originMs; at += 1) {
    ticks.push(originMs + at * step);
  }
  return ticks;
}

/** The next round length of time, in milliseconds. */
function stepOf(least: number): number {
  if (least > 30_000) return MINUTES.find((step) => step >= least) ?? Math.ceil(least / 86_400_000) * 86_400_000;
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 0.001)));
  const factor = STEPS.find((candidate) => candidate * power >= least) ?? 10;
  return factor * power;
}

/** A length of time for people: `0.4 ms`, `17 ms`, `1.25 s`, `2 min 5 s`, `3 h 2 min`. */
export function durationText(ms: number): string {
  if (ms < 0) return `-${durationText(-ms)}`;
  if (ms < 0.9995) return ms === 0 ? "0 ms" : `${short(ms, 2)} ms`;
  if (ms < 999.5) return `${short(ms, ms < 9.995 ? 1 : 0)} ms`;
  if (ms < 59_950) return `${short(ms / 1_000, ms < 9_995 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function short(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
