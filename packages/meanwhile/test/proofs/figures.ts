// How much the proofs do. What they have done they note with noteFigure(): tools/check-slow.ts makes a table of it.

export { noteFigure } from "../../../../tools/figures.ts";

/** Makes the proofs smaller, to try out the slow ones, or to repeat the small ones: 0.01 for a hundredth. */
const SCALE = Number(process.env["MEANWHILE_PROOF_SCALE"] ?? 1);

const isNode = process.versions["bun"] === undefined && process.versions["deno"] === undefined;

/** That many, or as many fewer as the variable MEANWHILE_PROOF_SCALE says. For proofs in test/slow. */
export function scaled(count: number): number {
  if (!(SCALE > 0)) throw new Error(`MEANWHILE_PROOF_SCALE is ${SCALE}; set a number > 0`);
  return Math.ceil(count * SCALE);
}

/**
 * That many on Node, a tenth on the other hosts: they run the same code, and are slower at it. The variable
 * MEANWHILE_PROOF_SCALE can make it fewer. For proofs that are unit tests.
 */
export function onThisHost(count: number): number {
  return Math.ceil(count * Math.min(SCALE, isNode ? 1 : 0.1));
}
