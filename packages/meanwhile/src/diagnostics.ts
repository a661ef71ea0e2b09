// meanwhile/diagnostics: the public list. Re-exports only.

export { captureCallGraph, formatCallGraph, printCallGraph } from "./diagnostics/call-graph.ts";
export type { RunInGraph, TaskInGraph } from "./diagnostics/call-graph.ts";
export type { AwaitStack, SuspendedCall } from "./lowlevel.ts";
