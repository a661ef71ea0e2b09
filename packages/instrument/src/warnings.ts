// The warnings of those who load code.

/** Says of a file that it is not instrumented, and why. */
export function warnNotInstrumented(id: string, problem: string): void {
  warn(
    "MW_WARN_NOT_INSTRUMENTED",
    `Cannot instrument ${id}: ${problem}; it runs as it is, and cancellation does not reach its awaits`,
  );
}

/** Says that nothing is instrumented here. */
export function warnUnsupported(host: string): void {
  warn(
    "MW_WARN_NOT_INSTRUMENTED",
    `Cannot instrument the program: it runs in ${host}; use Node 24 or newer, or a bundler plugin of @meanwhile/instrument`,
  );
}

/** Says that Node will count the characters of the changed source as if they were those of the file. */
export function warnUnmappedCoverage(): void {
  warn(
    "MW_WARN_UNMAPPED_COVERAGE",
    "Cannot report coverage of the right lines: the code is instrumented, and Node maps it only with --enable-source-maps; add that option",
  );
}

function warn(code: string, message: string): void {
  process.emitWarning(message, { type: "MeanwhileWarning", code });
}
