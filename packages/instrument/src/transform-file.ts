// A file that cannot be transformed runs as it is, with one warning.

import type { ModuleFormat } from "./transform/parse.ts";
import { transform, type Transformed, TransformError, type TransformOptions } from "./transform/transform.ts";
import { warnNotInstrumented } from "./warnings.ts";

/** What is known of a file. */
export interface FileOptions extends Omit<TransformOptions, "format"> {
  /** How the file may be loaded; the first one is taken that its source allows. */
  readonly formats: readonly ModuleFormat[];
}

/** What became of a source; `failed` if it is to be taken as it is because of a mistake in it. */
export type Outcome = Transformed | "unchanged" | "failed";

/** Transforms a source, or warns that this cannot be done. */
export function transformOrWarn(code: string, { formats, ...options }: FileOptions): Outcome {
  let failure: TransformError | null = null;
  for (const format of formats) {
    try {
      return transform(code, { ...options, format }) ?? "unchanged";
    } catch (error) {
      if (!(error instanceof TransformError)) throw error;
      failure = error;
    }
  }
  if (failure !== null) {
    const { id, line, column, problem } = failure;
    warnNotInstrumented(`${id}:${line}:${column}`, problem);
  }
  return "failed";
}

/** The code, followed by its map if it has one: on the last line, so that the others stay where they are. */
export function withInlineMap({ code, map }: Transformed): string {
  return map === undefined ? code : `${code}\n//# sourceMappingURL=${map.toUrl()}`;
}

/** Whether a module of a bundler is source code, by its ending. */
export function isSource(id: string): boolean {
  return !id.startsWith("\0") && /\.[cm]?[jt]sx?(?:$|[?#])/.test(id);
}
