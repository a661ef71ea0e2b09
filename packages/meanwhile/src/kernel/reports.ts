// Errors that cannot be thrown because another one already is.

import { warn } from "../errors.ts";
import { show } from "../util/show.ts";

/** Reports an error that came up beside the one that is thrown. */
export function reportSuppressed(error: unknown, where: string): void {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : show(error);
  warn("MW_WARN_SUPPRESSED", `${where}: another error is thrown, beside it there was ${text}`, stackOf(error));
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
