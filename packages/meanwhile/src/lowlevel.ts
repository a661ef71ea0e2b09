// The public face of the kernel for authors of primitives. Re-exports only; everything above the kernel is built on it.

export type { Clock } from "./clock/clock.ts";
export { keepAlive } from "./clock/keep-alive.ts";
export { LoopWatch } from "./clock/loop-watch.ts";
export {
  type AwaitStack,
  awaitStacksOf,
  callsFrom,
  runningStackOf,
  showCall,
  type SuspendedCall,
  textOfWait,
  waitMembersOf,
} from "./kernel/await-stacks.ts";
export { cancellationOf, isCancellationOf } from "./kernel/cancellation.ts";
export { checkpoint, enterCheckpoint, giveWay, throwIfCancelled } from "./kernel/checkpoint.ts";
export { Children, type SignalOption } from "./kernel/children.ts";
export { coroutine, type Coroutine, disown, isCoroutine } from "./kernel/coroutine.ts";
export { CapturedContext, captureContext } from "./kernel/context.ts";
export { adoptContextless, currentScopeNode } from "./kernel/current.ts";
export { areDiagnosticsOn, noteDiagnostics, watchOtherThreads } from "./kernel/debug-watch.ts";
export { untilIdle } from "./kernel/deadlock.ts";
export type { Director } from "./kernel/director.ts";
export {
  cancelScope,
  checkBody,
  enterScope,
  type ScopeEnding,
  type ScopeOptions,
  showJob,
} from "./kernel/enter-scope.ts";
export { cancellable, cancellableAs, currentSignal, waitersOn } from "./kernel/foreign.ts";
export {
  type FileSites,
  type FunctionSite,
  placeOf,
  type SiteTable,
  sitesOf,
  type WaitSite,
} from "./kernel/frame-sites.ts";
export { notePlainFunction } from "./kernel/frame-bodies.ts";
export { type Disposal, disposalOf } from "./kernel/frame-disposal.ts";
export { watchDelegate, watchIterable } from "./kernel/frame-iteration.ts";
export { asCaller } from "./kernel/frame-hooks.ts";
export { startFrames } from "./kernel/frame-start.ts";
export {
  afterWait,
  beforeCallWait,
  beforeWait,
  beforeYield,
  currentFrame,
  enterFrame,
  exitFrame,
  Frame,
  newestEnteredFunction,
  newestLeftFunction,
  ownFunctions,
  storeForCallbacks,
} from "./kernel/frames.ts";
export { addInstrument, type Instrument } from "./kernel/instruments.ts";
export { ParkingLot } from "./kernel/parking-lot.ts";
export type { RemoteJob, RemotePlace, RemoteTask, RemoteWait, RemoteWorker } from "./kernel/remote-job.ts";
export { remoteWaitIn, tellRemoteTasks, type ToldTasks } from "./kernel/remote-tasks.ts";
export { reportSuppressed } from "./kernel/reports.ts";
export { allTasks, atRunExit, createTask, currentScope, currentTask, run, type RunOptions } from "./kernel/run.ts";
export { activeRunners, type Runner } from "./kernel/runner.ts";
export type { CancelScope, Scope, ScopeMember } from "./kernel/scope.ts";
export { type HandledSignal, joinSignalHandling } from "./kernel/signals.ts";
export { type Abort, suspend, type Suspension, suspension, Waiter, type WaitTarget, wakeAt } from "./kernel/suspend.ts";
export { taskGroup, type TaskGroup, type TaskOptions, checkJob } from "./kernel/task-group.ts";
export { type FoundTask, renderTaskTree, tasksIn, waitsOf, walkTasks } from "./kernel/task-tree.ts";
export { type Job, type Task, TaskNode } from "./kernel/task.ts";
export { turnIsOver } from "./kernel/turn.ts";
export { OptionChecks, type RefuseOption, showKind } from "./util/option-checks.ts";
