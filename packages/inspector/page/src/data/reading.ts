// What the page uses of meanwhile/diagnostics: the part that only reads, and needs nothing of Node. The build and the types
// of the page have it under that name.

export type * from "../../../../meanwhile/src/diagnostics/protocol.ts";
export { groupAlike, shapeOf } from "../../../../meanwhile/src/diagnostics/reading/alike.ts";
export { LiveState } from "../../../../meanwhile/src/diagnostics/reading/live-state.ts";
export { readRemoteJob } from "../../../../meanwhile/src/diagnostics/reading/remote-job.ts";
export type { RemoteJob, RemoteTask } from "../../../../meanwhile/src/kernel/remote-job.ts";
export { parseMessage } from "../../../../meanwhile/src/diagnostics/reading/messages.ts";
