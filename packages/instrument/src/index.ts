// Instruments source text: every await of plain async code is told to the runtime.

export type { SourcePlace } from "./transform/errors.ts";
export type { Language, ModuleFormat } from "./transform/parse.ts";
export { transform, type Transformed, TransformError, type TransformOptions } from "./transform/transform.ts";
