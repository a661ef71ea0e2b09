// Errors that cannot be thrown because another one already is.

import { warn } from "../errors.ts";
import { show } from "../util/show.ts";

// An error can be made of thousands of others: a warning that long would help nobody.
const MAX_NAMED = 10;

/** Reports an error that came up beside the one that is thrown, with the errors it is made of. */
export function reportSuppressed(error: unknown, where: string): void {
  const [outer, ...parts] = withParts(error);
  const stacks = [outer, ...parts.slice(0, MAX_NAMED)].map(stackOf).filter((stack) => stack !== undefined);
  warn(
    "MW_WARN_SUPPRESSED",
    `${where}: another error is thrown, beside it there was ${nameOf(outer)}${listed(parts)}`,
    stacks.length === 0 ? undefined : stacks.join("\n"),
  );
}

// Not recursive, and each error once: causes can form long chains, and circles.
function withParts(error: unknown): unknown[] {
  const found = new Set<unknown>([error]);
  for (const one of found) {
    if (found.size > MAX_NAMED + 1) break;
    for (const part of partsOf(one)) found.add(part);
  }
  return [...found];
}

function partsOf(error: unknown): unknown[] {
  if (!(error instanceof Error)) return [];
  const parts: unknown[] = error instanceof AggregateError ? [...error.errors] : [];
  // Not by instanceof: hosts without explicit resource management have no such class.
  if ("suppressed" in error && "error" in error) parts.push(error.error, error.suppressed);
  if (error.cause !== undefined) parts.push(error.cause);
  return parts;
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
