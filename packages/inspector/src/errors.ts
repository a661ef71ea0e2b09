// Every error of the package. There is one class: callers tell them apart by the code.

/** The stable codes of errors thrown by this package. */
export type InspectorErrorCode =
  | "MW_ERR_INSPECTOR_INVALID_ARGUMENT"
  | "MW_ERR_INSPECTOR_NOT_A_RECORDING"
  | "MW_ERR_INSPECTOR_NOT_BUILT"
  | "MW_ERR_INSPECTOR_NOT_STARTED";

/** Something cannot be shown. The message says why, and what to do. */
export class InspectorError extends Error {
  override readonly name = "InspectorError";
  /** Stable code of the error. */
  readonly code: InspectorErrorCode;

  /** @internal */
  constructor(code: InspectorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The `code` of an error of the operating system, like `ENOENT`; undefined for others. */
export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
