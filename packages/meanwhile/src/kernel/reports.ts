// Errors that cannot be thrown because another one already is.

import { warn } from "../errors.ts";
import { show } from "../util/show.ts";

// An error can be made of thousands of others: a warning that long would help nobody.
const MAX_NAMED = 10;

/** Reports an error that came up beside the one that is thrown, with the errors it is made of. */
export function reportSuppressed(error: unknown, where: string): void {
  const parts = partsIn(error);
  const stacks = [error, ...parts.slice(0, MAX_NAMED)].map(stackOf).filter((stack) => stack !== undefined);
  warn(
    "MW_WARN_SUPPRESSED",
    `${where}: another error is thrown, beside it there was ${nameOf(error)}${listed(parts)}`,
    stacks.length === 0 ? undefined : stacks.join("\n"),
  );
}

// Not recursive, and each error once: causes can form long chains, and circles.
function partsIn(error: unknown): unknown[] {
  const seen = new Set<unknown>([error]);
  for (const one of seen) for (const part of [...madeOf(one), ...causeOf(one)]) seen.add(part);
  seen.delete(error);
  // What is made of others says nothing that they do not say.
  return [...seen].filter((one) => madeOf(one).length === 0);
}

/** The errors that a composite error stands for. */
function madeOf(error: unknown): unknown[] {
  if (!(error instanceof Error)) return [];
  if (error instanceof AggregateError) return [...error.errors];
  // Not by instanceof: hosts without explicit resource management have no such class.
  return "suppressed" in error && "error" in error ? [error.error, error.suppressed] : [];
}

function causeOf(error: unknown): unknown[] {
  return error instanceof Error && error.cause !== undefined ? [error.cause] : [];
}

function listed(parts: unknown[]): string {
  if (parts.length === 0) return "";
  const more = parts.length > MAX_NAMED ? `; and ${parts.length - MAX_NAMED} more` : "";
  return ` (from ${parts.slice(0, MAX_NAMED).map(nameOf).join("; ")}${more})`;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : show(error);
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
