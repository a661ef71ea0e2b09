// A file that cannot be transformed runs as it is, with one warning.

import { transform, type Transformed, TransformError, type TransformOptions } from "./transform/transform.ts";

/** Transforms a source; null if it is to be taken as it is. */
export function transformOrWarn(code: string, options: TransformOptions): Transformed | null {
  try {
    return transform(code, options);
  } catch (error) {
    if (!(error instanceof TransformError)) throw error;
    process.emitWarning(
      `Cannot instrument ${options.id}: ${error.message}; it runs as it is, and cancellation does not reach its awaits`,
      { type: "MeanwhileWarning", code: "MW_WARN_NOT_INSTRUMENTED" },
    );
    return null;
  }
}

/** Whether a module of a bundler is source code, by its ending. */
export function isSource(id: string): boolean {
  return !id.startsWith("\0") && /\.[cm]?[jt]sx?(?:$|[?#])/.test(id);
}
