// Reports coroutines that nobody started: at garbage collection, or at the end of the run they were created in.
//
//   pending ──settleTicket()──▶ settled (started, handed over, or reported)
//
// Nearly every coroutine is awaited at once, so creating one does no bookkeeping but an array push. Those still
// pending in the next turn of the event loop are entered into the registry and into the ledger of their run.

import { warn } from "../errors.ts";
import { currentScopeNode } from "./current.ts";
import type { Runner } from "./runner.ts";

const { setImmediate } = globalThis;

/** What is known about the creation of a coroutine. Does not refer to the coroutine, so that it can be collected. */
export interface CreationTicket {
  readonly name: string;
  readonly origin: { readonly stack: string };
  readonly runner: Runner;
  pending: boolean;
}

interface Ticketed {
  readonly ticket: CreationTicket;
}

const collected = new FinalizationRegistry<CreationTicket>(reportTicket);

// Created in this turn of the event loop. Cleaned early when a program creates many without ever ending its turn.
let fresh: Ticketed[] = [];
const SMALLEST_CLEANING = 1024;
let cleanAt = SMALLEST_CLEANING;

/** Frames of built-in functions, on Node, Deno and Bun. */
const OF_THE_HOST = /\b(?:node|ext|native):|\((?:<anonymous>|unknown)\)/;

/** How many frames of the creation stack are kept. */
const FRAMES = 4;

/** Notes who creates a coroutine, and where: the caller of `creator`. */
export function openTicket(name: string, creator: (...args: never[]) => unknown): CreationTicket {
  const origin = { stack: "" };
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  Error.captureStackTrace(origin, creator);
  Error.stackTraceLimit = limit;
  return { name, origin, runner: currentScopeNode().runner, pending: true };
}

/** The coroutine is no longer forgotten. */
export function settleTicket(ticket: CreationTicket): void {
  if (!ticket.pending) return;
  ticket.pending = false;
  ticket.runner.unstarted.delete(ticket);
}

/** Starts watching a coroutine. */
export function watchTicket(coroutine: Ticketed): void {
  if (fresh.length === 0) setImmediate(enter).unref();
  else if (fresh.length >= cleanAt) clean();
  fresh.push(coroutine);
}

function clean(): void {
  fresh = fresh.filter((coroutine) => coroutine.ticket.pending);
  cleanAt = Math.max(SMALLEST_CLEANING, 2 * fresh.length);
}

function enter(): void {
  for (const coroutine of fresh) {
    const { ticket } = coroutine;
    if (!ticket.pending) continue;
    collected.register(coroutine, ticket);
    ticket.runner.unstarted.add(ticket);
  }
  fresh = [];
  cleanAt = SMALLEST_CLEANING;
}

/** Reports every coroutine created in the run that was not started, even if somebody still holds it. */
export function reportUnstarted(runner: Runner): void {
  enter();
  for (const ticket of runner.unstarted) reportTicket(ticket);
}

function reportTicket(ticket: CreationTicket): void {
  if (!ticket.pending) return;
  settleTicket(ticket);
  const frames = ticket.origin.stack.split("\n").slice(1);
  const frame = frames.find((line) => !OF_THE_HOST.test(line));
  const where = frame?.trim().replace(/^at /, "") ?? "an unknown place";
  const call = `${ticket.name}()`;
  warn(
    "MW_WARN_NEVER_AWAITED",
    `Coroutine "${ticket.name}" was never awaited, so it did not run: created at ${where}; write \`await ${call}\`, or give it to gather or createTask`,
    frames.join("\n"),
  );
}
