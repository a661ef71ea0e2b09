// How much the slow proofs do, and what they have done: tools/check-slow.ts makes a table of it.

import { appendFileSync } from "node:fs";

/** Makes the slow proofs smaller, to try them out: 0.01 for a hundredth. */
const SCALE = Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1);

/** Where the figures go; nowhere if it is not set. */
const FIGURES = process.env["MEANWHILE_PROOF_FIGURES"];

/** One line of what was done. Lines of the same proof and unit are added up. */
export interface Figure {
  readonly count: number;
  /** What was counted, in the plural. */
  readonly unit: string;
  /** How long that took. */
  readonly ms: number;
  /** What else is worth knowing. */
  readonly note?: string;
}

/** That many, or as many fewer as the variable MEANWHILE_PROOF_SCALE says. */
export function scaled(count: number): number {
  if (!(SCALE > 0)) throw new Error(`MEANWHILE_PROOF_SCALE is ${SCALE}; set a number > 0`);
  return Math.ceil(count * SCALE);
}

const isNode = process.versions["bun"] === undefined && process.versions["deno"] === undefined;

/** That many on Node, a tenth on the other hosts: they run the same code, and are slower at it. */
export function onThisHost(count: number): number {
  return isNode ? count : Math.ceil(count / 10);
}

/** Notes what a proof has done. */
export function noteFigure(proof: string, figure: Figure): void {
  if (FIGURES !== undefined) appendFileSync(FIGURES, `${JSON.stringify({ proof, ...figure })}\n`);
}
