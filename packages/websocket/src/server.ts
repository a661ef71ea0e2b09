// A server: its connections, each a task of a group of its own, and the end of all of it.
//
//   opening ──▶ open ──close, the end of the run──▶ closing ──the last handler has ended──▶ closed

import { cancellable, createTask, moveOnAfter, shield, type TaskGroup, taskGroup } from "meanwhile";
import { captureContext, currentScopeNode, suspend, type Waiter, type WaitTarget } from "meanwhile/lowlevel";

import { broadcast, type BroadcastOptions, type BroadcastResult } from "./broadcast.ts";
import { type Door, type OnUpgrade, openDoor } from "./door.ts";
import { Reception } from "./reception.ts";
import { inRootContext } from "./root-context.ts";
import type { ServeSettled } from "./serve-options.ts";
import { checkClose, endsItself, type ServerCloseOptions, warnOfStuck } from "./server-close.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { ServerStatistics } from "./server-statistics.ts";
import { passOn } from "./upgrade-owners.ts";

const VISITORS: WaitTarget = { describe: () => "connections of WebSocket clients", foreign: true };

let open: <User>(server: Server<User>) => Promise<void>;

/** How long handlers that are cancelled may clean up at least, before `close` stops waiting for them. */
const CLEANUP_MS = 1_000;

/** Listens. Resolves with the server when it does. */
export async function openServer<User>(settled: ServeSettled<User>): Promise<Server<User>> {
  const server = new Server(settled);
  await open(server);
  return server;
}

/**
 * A server that listens. Leaving the block of `await using` closes it, and the end of its run does too.
 */
export class Server<User = undefined> implements AsyncDisposable {
  readonly #settled: ServeSettled<User>;
  readonly #closed = Promise.withResolvers<void>();
  #state: ServerStatistics["state"] = "opening";
  #group: TaskGroup | null = null;
  #reception: Reception<User> | null = null;
  #door: Door | null = null;
  // Of the group, which waits to be stopped.
  #waiter: Waiter<void> | null = null;

  /** @internal */
  constructor(settled: ServeSettled<User>) {
    this.#settled = settled;
  }

  static {
    open = (server) => server.#start();
  }

  /** Opens the door. The task that serves is one of the run. */
  async #start(): Promise<void> {
    const opened = Promise.withResolvers<void>();
    createTask(() => this.#serve(opened), { name: "WebSocket server" });
    try {
      await cancellable(opened.promise);
    } catch (error) {
      this.#stop();
      await shield(() => this.waitClosed());
      throw error;
    }
  }

  /** Where it can be reached from this machine, like `ws://127.0.0.1:8080`. */
  get url(): string {
    return this.#place.url;
  }

  /** The address it is bound to; of a Unix socket its path. */
  get address(): string {
    return this.#place.address;
  }

  /** The port it is bound to; undefined for a Unix socket. */
  get port(): number | undefined {
    return this.#place.port;
  }

  /** The connections whose handlers run. */
  get connections(): ReadonlySet<ServerConnection<User>> {
    return this.#reception?.connections ?? new Set();
  }

  /** What it has done, and does. */
  statistics(): ServerStatistics {
    const { connections } = this;
    const { size = 0, counts, failures } = this.#reception ?? {};
    return {
      state: this.#state,
      connections: connections.size,
      handshakes: size - connections.size,
      opened: counts?.opened ?? 0,
      refused: counts?.refused ?? 0,
      failed: failures?.count ?? 0,
    };
  }

  /**
   * Sends a message to all connections, without waiting for any: those that are too slow do not get it.
   *
   * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT` for what is no message
   * @see {@link broadcast}
   */
  broadcast(
    message: string | Uint8Array | ArrayBuffer,
    options: BroadcastOptions<ServerConnection<User>> = {},
  ): BroadcastResult {
    return broadcast(this.connections, message, options);
  }

  /**
   * Ends the server: takes no more connections, closes those there are with the code, and waits for their handlers; what
   * has not ended in time is cancelled, and its connection cut. It has as long again to clean up, but at least a second.
   * Handlers that go on even then are left to their run, which waits for them; the warning `MW_WARN_WS_STUCK` names them.
   *
   * Cancellation: safe. A cancelled caller too waits for the end, as `timeoutMs` bounds it.
   *
   * @param code - 1000 to 1014 as the standard has them, or 3000 to 4999. Default: 1001, going away
   * @param reason - up to 123 bytes
   * @throws {@link WebSocketError} `MW_ERR_WS_INVALID_ARGUMENT` for what fits in no close frame, `MW_ERR_WS_BUSY` in a handler,
   * which would wait for itself
   */
  async close(code = 1001, reason = "", options: ServerCloseOptions = {}): Promise<void> {
    const { timeoutMs = this.#settled.drainMs } = options;
    checkClose(code, reason, timeoutMs);
    if (this.#isInside()) throw endsItself();
    this.#stop();
    await shield(() => this.#drain(code, reason, timeoutMs));
  }

  /**
   * Waits until the server is closed, and the last handler has ended, however long that takes.
   *
   * Cancellation: safe. It has no effect.
   */
  async waitClosed(): Promise<void> {
    await cancellable(this.#closed.promise);
  }

  /**
   * The same as `close()`.
   *
   * Cancellation: safe. As in `close`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #place(): Pick<Door, "url" | "address" | "port"> {
    return this.#door ?? { url: "", address: "", port: undefined };
  }

  /** Whether the running code is that of a handler. */
  #isInside(): boolean {
    const { scope } = this.#group ?? {};
    let here = scope === undefined ? null : currentScopeNode();
    while (here !== null && here !== scope) here = here.parent;
    return here !== null;
  }

  async #serve(opened: PromiseWithResolvers<void>): Promise<void> {
    try {
      await taskGroup((group) => this.#host(group, opened));
    } finally {
      this.#stop();
      await this.#door?.close();
      this.#state = "closed";
      this.#closed.resolve();
      opened.resolve();
    }
  }

  /** The body of the group: what is around it waits for the handlers. */
  async #host(group: TaskGroup, opened: PromiseWithResolvers<void>): Promise<void> {
    this.#group = group;
    const reception = new Reception(this.#settled, group, () => this.#state === "open");
    this.#reception = reception;
    try {
      this.#door = await this.#openDoor(reception);
    } catch (error) {
      opened.reject(error);
      return;
    }
    try {
      if (this.#state !== "opening") return;
      this.#state = "open";
      opened.resolve();
      await suspend<void>((waiter) => {
        this.#waiter = waiter;
        return () => void (this.#waiter = null);
      }, VISITORS);
    } finally {
      this.#stop();
    }
  }

  #openDoor(reception: Reception<User>): Promise<Door> {
    const { server } = this.#settled;
    // Tasks of handlers have the context of the server; sockets keep no scope.
    const inContext = captureContext();
    const onUpgrade: OnUpgrade = (message, socket, head) => {
      const isElsewhere = (): boolean => server !== undefined && passOn(message, server);
      const elapsedMs = this.#door?.knows(socket) ?? 0;
      const arrive = (): void => inContext(() => reception.arrive({ message, socket, head }, elapsedMs, isElsewhere));
      if (server === undefined) arrive();
      // Later: those who listen to the same server and want only some of its paths go first.
      else queueMicrotask(arrive);
    };
    const onError = (error: unknown): void =>
      reception.failures.tell(error, { during: "listening", request: undefined, socket: undefined });
    return inRootContext(() => openDoor({ settled: this.#settled, onUpgrade, onError }));
  }

  /** Lets nobody in any more. */
  #stop(): void {
    if (this.#state === "closed") return;
    this.#state = "closing";
    this.#door?.stop();
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.wake();
  }

  async #drain(code: number, reason: string, timeoutMs: number): Promise<void> {
    const goodbyes = Array.from(this.connections, (socket) => socket.close(code, reason));
    // They end in any case; what they come to is told to their handlers.
    const said = Promise.allSettled(goodbyes);
    const hasEnded = (ms: number): Promise<true | undefined> =>
      moveOnAfter(ms, () => this.waitClosed().then(() => true as const));
    if ((await hasEnded(timeoutMs)) !== true) {
      this.#group?.cancel("the server is closing");
      for (const socket of this.connections) socket.terminate();
      if ((await hasEnded(Math.max(timeoutMs, CLEANUP_MS))) !== true) warnOfStuck(this.connections);
    }
    await said;
  }
}
