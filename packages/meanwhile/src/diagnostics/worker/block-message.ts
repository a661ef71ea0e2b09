// A blocked loop for people: how long, by whom, where, and what to do.

import type { Block, Place } from "../protocol.ts";

/** What else the text says. */
export interface BlockDetails {
  /** The function of Node that runs, if one does. */
  readonly inside: string | null;
  /** How many blocks there were at which nobody looked. */
  readonly unseen: number;
}

/** The text. */
export function blockMessage(block: Omit<Block, "id" | "message" | "noStack">, details: BlockDetails): string {
  const { durationMs, ongoing, task, stack } = block;
  const howLong = `${Math.round(durationMs)} ms`;
  const [top] = stack;
  const who = task === null ? "" : ` by task ${task.id} "${task.name}"`;
  const where = top === undefined ? "" : ` at ${showPlace(top)}`;
  const native = top === undefined && ongoing ? ", in native code that has not returned yet" : "";
  const verb = ongoing ? "has been" : "was";
  const remedy = top === undefined ? NATIVE_REMEDY : remedyFor(details.inside);
  return `The event loop ${verb} blocked for ${howLong}${who}${where}${native}${others(block, details)}; ${remedy}`;
}

function others({ repeated }: Pick<Block, "repeated">, { unseen }: BlockDetails): string {
  const parts = [
    ...(repeated === 0 ? [] : [`${repeated} more there since the last report`]),
    ...(unseen === 0 ? [] : [`${unseen} more blocks at which nobody looked`]),
  ];
  return parts.length === 0 ? "" : ` (${parts.join(", and ")})`;
}

const NATIVE_REMEDY = "give native code less to do at once, or move the work to a thread of its own";

function remedyFor(inside: string | null): string {
  if (inside === "Atomics.wait") return "use Atomics.waitAsync(), or wait in a thread of its own";
  if (inside !== null && inside.endsWith("Sync")) return `use the form of ${inside}() that does not block`;
  if (inside === "require") return "load it when the program starts";
  const first = inside !== null && IN_ONE_GO.test(inside) ? `give ${inside}() less to do at once, ` : "";
  return `${first}give the others a turn with \`await checkpoint()\` if it is a loop, or move the work to a thread of its own`;
}

/** What may be no loop, and still take long. */
const IN_ONE_GO = /^(?:JSON\.\w+|structuredClone)$/u;

/** A place for people: `load (app.ts:12:5)`. */
function showPlace({ function: name, file, line, column }: Place): string {
  const where = `${file}:${line}:${column}`;
  return name === "" ? where : `${name} (${where})`;
}
