// Tasks as spans of OpenTelemetry. The user hands in the API: nothing is loaded here.

import { addInstrument, type TaskNode } from "../lowlevel.ts";

/** A span of OpenTelemetry, as far as it is used here. */
export interface OtelSpan {
  /** Adds an attribute. */
  setAttribute(name: string, value: string | number | boolean): unknown;
  /** Says how it has ended. */
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  /** Adds an error. */
  recordException(error: Error | string): unknown;
  /** Ends it. */
  end(): void;
}

/** The module `@opentelemetry/api`, as far as it is used here. */
export interface OtelApi<Context = unknown> {
  /** Makes spans. */
  readonly trace: {
    /** The tracer with a name. */
    getTracer(name: string): {
      /** Starts a span. */
      startSpan(
        name: string,
        options: { readonly attributes: Record<string, string | number> },
        context: Context,
      ): OtelSpan;
    };
    /** A context with the span as the parent of others. */
    setSpan(context: Context, span: never): Context;
  };
  /** Where spans get their parents from. */
  readonly context: {
    /** That of the running code. */
    active(): Context;
  };
}

/** Options of {@link traceTasks}. */
export interface TraceTasksOptions {
  /** Which tasks become spans; a task that does not leaves its children to the next one above. Default: all. */
  readonly filter?: ((task: { readonly id: number; readonly name: string }) => boolean) | undefined;
}

/** `SpanStatusCode.ERROR`. */
const ERROR = 2;

/**
 * Makes a span of each task that is created from now on, with the span of its parent as the parent; of a task without one,
 * the active span where it is created. A task that fails ends its span with the error, one that was cancelled has the
 * attribute `meanwhile.outcome` `cancelled`. Disposing the result ends the making, and the spans that are open.
 *
 * @param api - the module `@opentelemetry/api`
 *
 * @example
 * ```ts no-run
 * import { type OtelApi, traceTasks } from "meanwhile/diagnostics";
 *
 * const name: string = "@opentelemetry/api";
 * const api: OtelApi = await import(name);
 * traceTasks(api);
 * ```
 */
export function traceTasks<Context>(api: OtelApi<Context>, options: TraceTasksOptions = {}): Disposable {
  const { filter = () => true } = options;
  const tracer = api.trace.getTracer("meanwhile");
  const open = new Map<number, OtelSpan>();
  const contextFor = (task: TaskNode): Context => {
    for (let scope = task.scope.parent; scope !== null; scope = scope.parent) {
      const span = scope.task === null ? undefined : open.get(scope.task.id);
      if (span !== undefined) return api.trace.setSpan(api.context.active(), span as never);
    }
    return api.context.active();
  };
  const listening = addInstrument({
    taskCreated: (task) => {
      const { id, name } = task;
      if (!filter({ id, name })) return;
      const attributes = { "meanwhile.task.id": id };
      open.set(id, tracer.startSpan(`task ${name}`, { attributes }, contextFor(task)));
    },
    taskEnded: (task) => {
      const span = open.get(task.id);
      open.delete(task.id);
      if (span !== undefined) endSpan(span, task);
    },
  });
  return {
    [Symbol.dispose](): void {
      listening[Symbol.dispose]();
      for (const span of open.values()) span.end();
      open.clear();
    },
  };
}

function endSpan(span: OtelSpan, { state }: TaskNode): void {
  span.setAttribute("meanwhile.outcome", state.kind);
  if (state.kind === "failed") {
    const { error } = state;
    span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({ code: ERROR, message: error instanceof Error ? error.message : String(error) });
  }
  span.end();
}
