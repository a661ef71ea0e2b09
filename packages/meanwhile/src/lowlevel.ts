// The public face of the kernel for authors of primitives. Re-exports only; everything above the kernel is built on it.

export type { Clock } from "./clock/clock.ts";
export { keepAlive } from "./clock/keep-alive.ts";
export { cancellationOf, isCancellationOf } from "./kernel/cancellation.ts";
export { checkpoint, enterCheckpoint, giveWay, throwIfCancelled, turnIsOver } from "./kernel/checkpoint.ts";
export { Children, type SignalOption } from "./kernel/children.ts";
export { coroutine, type Coroutine, disown, isCoroutine } from "./kernel/coroutine.ts";
export { CapturedContext, captureContext } from "./kernel/context.ts";
export { currentScopeNode } from "./kernel/current.ts";
export type { Director } from "./kernel/director.ts";
export {
  cancelScope,
  checkBody,
  enterScope,
  type ScopeEnding,
  type ScopeOptions,
  showJob,
} from "./kernel/enter-scope.ts";
export { cancellable, currentSignal, waitersOn } from "./kernel/foreign.ts";
export { addInstrument, type Instrument } from "./kernel/instruments.ts";
export { ParkingLot } from "./kernel/parking-lot.ts";
export { reportSuppressed } from "./kernel/reports.ts";
export { allTasks, atRunExit, createTask, currentScope, currentTask, run, type RunOptions } from "./kernel/run.ts";
export { activeRunners, type Runner } from "./kernel/runner.ts";
export type { CancelScope, Scope, ScopeMember } from "./kernel/scope.ts";
export { type Abort, suspend, type Suspension, suspension, Waiter, type WaitTarget, wakeAt } from "./kernel/suspend.ts";
export { taskGroup, type TaskGroup, type TaskOptions, checkJob } from "./kernel/task-group.ts";
export { renderTaskTree, tasksIn, waitsOf } from "./kernel/task-tree.ts";
export { type Job, type Task, TaskNode } from "./kernel/task.ts";
