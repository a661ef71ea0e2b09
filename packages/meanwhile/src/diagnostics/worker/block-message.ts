// A blocked loop for people: how long, by whom, where, and what to do.

import type { Block, Place } from "../protocol.ts";

/** The text; `inside` is the function of Node that runs, if one does. */
export function blockMessage(block: Omit<Block, "id" | "message" | "noStack">, inside: string | null): string {
  const { durationMs, ongoing, task, stack, repeated } = block;
  const howLong = `${Math.round(durationMs)} ms`;
  const [top] = stack;
  const who = task === null ? "" : ` by task ${task.id} "${task.name}"`;
  const where = top === undefined ? "" : ` at ${showPlace(top)}`;
  const native = top === undefined && ongoing ? ", in native code that has not returned yet" : "";
  const before = repeated === 0 ? "" : ` (${repeated} more blocks there since the last report)`;
  return `The event loop ${ongoing ? "has been" : "was"} blocked for ${howLong}${who}${where}${native}${before}; ${remedyFor(inside)}`;
}

function remedyFor(inside: string | null): string {
  if (inside === "Atomics.wait") return "use Atomics.waitAsync(), or wait in a thread of its own";
  if (inside !== null && inside.endsWith("Sync")) return `use the form of ${inside}() that does not block`;
  return "give the others a turn with `await checkpoint()` in its loop, or move the work to a thread of its own";
}

/** A place for people: `load (app.ts:12:5)`. */
function showPlace({ function: name, file, line, column }: Place): string {
  const where = `${file}:${line}:${column}`;
  return name === "" ? where : `${name} (${where})`;
}
