// A thread of this process as the inspector shows it: the main thread at once, another one through the main thread.

import { type NodeWorker, type InspectorNotification, Session } from "node:inspector";

/** Told of what happens in the thread. */
export type InspectorListener = (method: string, params: never) => void;

/** Told of the answer to an order, before anything is told that came after it. */
type OnAnswer = (error: object | null, result: unknown) => void;

/** A thread that takes orders of the inspector, in their order. */
export interface InspectedThread {
  /** Gives an order. */
  send(method: string, params: object, onAnswer: OnAnswer): void;
  /** Lets go of it. */
  leave(): void;
}

/** Connects to a thread; 0 is the main one. Resolves when it takes orders; never, if it is not there. */
export function inspectThread(thread: number, listener: InspectorListener): Promise<InspectedThread> {
  const session = new Session();
  session.connectToMainThread();
  return thread === 0 ? Promise.resolve(mainThread(session, listener)) : otherThread(session, thread, listener);
}

function mainThread(session: Session, listener: InspectorListener): InspectedThread {
  session.on("inspectorNotification", ({ method, params }) => listener(method, params as never));
  return {
    send: (method, params, onAnswer) => session.post(method, params, onAnswer),
    leave: () => session.disconnect(),
  };
}

function otherThread(session: Session, thread: number, listener: InspectorListener): Promise<InspectedThread> {
  const { promise, resolve } = Promise.withResolvers<InspectedThread>();
  session.on("NodeWorker.attachedToWorker", ({ params }) => {
    // Its number is told in its title only.
    if (params.workerInfo.title.startsWith(`[worker ${thread}]`))
      resolve(throughMain(session, params.sessionId, listener));
  });
  session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
  return promise;
}

interface Letter {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: object;
}

function throughMain(session: Session, sessionId: string, listener: InspectorListener): InspectedThread {
  const open = new Map<number, OnAnswer>();
  let orders = 0;
  type Received = InspectorNotification<NodeWorker.ReceivedMessageFromWorkerEventDataType>;
  session.on("NodeWorker.receivedMessageFromWorker", ({ params }: Received) => {
    if (params.sessionId !== sessionId) return;
    const { id, method, params: given, result, error }: Letter = JSON.parse(params.message);
    if (method !== undefined) listener(method, given as never);
    else open.get(id ?? 0)?.(error ?? null, result);
  });
  return {
    send: (method, params, onAnswer) => {
      const id = (orders += 1);
      open.set(id, onAnswer);
      session.post("NodeWorker.sendMessageToWorker", { sessionId, message: JSON.stringify({ id, method, params }) });
    },
    leave: () => {
      session.post("NodeWorker.detach", { sessionId });
      session.post("NodeWorker.disable", () => session.disconnect());
    },
  };
}
