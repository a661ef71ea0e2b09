// meanwhile/diagnostics: the public list. Re-exports only.

export { captureCallGraph, formatCallGraph, printCallGraph } from "./diagnostics/call-graph.ts";
export type { RunInGraph, TaskInGraph } from "./diagnostics/call-graph.ts";
export type { AwaitStack, SuspendedCall } from "./lowlevel.ts";
export type { TaskChannelMessage } from "./diagnostics/channels.ts";
export type { DiagnosticsOptions } from "./diagnostics/options.ts";
export { type OtelApi, type OtelSpan, traceTasks, type TraceTasksOptions } from "./diagnostics/open-telemetry.ts";
export { PROTOCOL_VERSION } from "./diagnostics/protocol.ts";
export type {
  Block,
  BlockMessage,
  ByeMessage,
  Counts,
  DeltaMessage,
  DiagnosticsLevel,
  EndedTask,
  EventsMessage,
  GapMessage,
  Cancelled,
  Hello,
  LoopStatistics,
  Place,
  Program,
  Refusal,
  RemoteMessage,
  Resource,
  Snapshot,
  StreamMessage,
  TaskActivity,
  TaskEvent,
  TaskOutcome,
  TaskRecord,
  TimeMs,
  Wait,
  Warning,
  WarningKind,
  WarningMessage,
} from "./diagnostics/protocol.ts";
export { listPrograms, type ListedProgram, socketFolder, socketPathOf } from "./diagnostics/socket-path.ts";
export type { Diagnostics } from "./diagnostics/running.ts";
export { offerDiagnostics, startDiagnostics, watchEventLoop } from "./diagnostics/start.ts";
export type { WarningLimits } from "./diagnostics/warning-limits.ts";
export { groupAlike, likenessOf, shapeOf } from "./diagnostics/reading/alike.ts";
export { ChromeTrace } from "./diagnostics/reading/chrome-trace.ts";
export { LiveState } from "./diagnostics/reading/live-state.ts";
export { readRemoteJob } from "./diagnostics/reading/remote-job.ts";
export type { RemoteJob, RemotePlace, RemoteTask, RemoteWait, RemoteWorker } from "./lowlevel.ts";
export { parseMessage } from "./diagnostics/reading/messages.ts";
