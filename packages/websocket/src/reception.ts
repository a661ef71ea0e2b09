// What a server does with each client: lets it in or refuses it, has it handled in a task, and says goodbye.

import { isCancelled, shield, type TaskGroup } from "meanwhile";
import { currentScopeNode } from "meanwhile/lowlevel";

import { Admission } from "./admission.ts";
import { ConnectionClosedError } from "./errors.ts";
import { HandlerFailures } from "./handler-failures.ts";
import { faultOf } from "./handshake-rules.ts";
import { type Arrival, CLOSING, type HandshakeContext, refuseUpgrade, shakeHands } from "./handshake.ts";
import { Refusal } from "./refusal.ts";
import type { Found } from "./routes.ts";
import type { Handler, ServeSettled } from "./serve-options.ts";
import type { ServerConnection } from "./server-connection.ts";
import { ServerRequest } from "./server-request.ts";
import { claim, isTaken } from "./upgrade-owners.ts";
import { type Upgrade, Upgrader } from "./upgrader.ts";

/** How long the closing handshake of a handler may take that was cancelled: somebody waits for the end of it all. */
const HURRIED_CLOSE_MS = 2_000;

const NO_ROUTE = new Refusal(404, "There is no such path", {});
const WRONG_ORIGIN = new Refusal(403, "Pages of this origin may not connect", {});
const FULL = {
  server: new Refusal(503, "Too many connections", { "Retry-After": "10" }),
  address: new Refusal(429, "Too many connections from this address", { "Retry-After": "10" }),
};

export class Reception<User> {
  /** Those that a handler has. */
  readonly connections: Set<ServerConnection<User>> = new Set();
  readonly failures: HandlerFailures<User>;
  /** How many have been opened and refused so far. */
  readonly counts: { opened: number; refused: number } = { opened: 0, refused: 0 };
  readonly #settled: ServeSettled<User>;
  readonly #group: TaskGroup;
  readonly #admission: Admission;
  readonly #context: HandshakeContext<User>;

  constructor(settled: ServeSettled<User>, group: TaskGroup, isOpen: () => boolean) {
    this.failures = new HandlerFailures(settled.onError);
    this.#settled = settled;
    this.#group = group;
    this.#admission = new Admission(settled.maxConnections, settled.maxConnectionsPerAddress);
    const refuse = (upgrade: Upgrade, request: ServerRequest, refusal: Refusal): void => {
      if (isTaken(upgrade.socket)) return;
      this.counts.refused += 1;
      refuseUpgrade(upgrade, request, refusal, settled.connection.trace);
    };
    this.#context = { settled, upgrader: new Upgrader(settled), failures: this.failures, isOpen, refuse };
  }

  /** How many are inside, those that have no connection yet included. */
  get size(): number {
    return this.#admission.size;
  }

  /**
   * Takes a request. `isElsewhere` is asked if no route leads to a handler: whether somebody else takes it. Never throws: an
   * event of a server has called it, and what it throws would end the process.
   */
  arrive(upgrade: Upgrade, elapsedMs: number, isElsewhere: () => boolean): void {
    try {
      const request = new ServerRequest(upgrade.message);
      const found = this.#settled.routes.find(request.url.pathname);
      if (found === null && isElsewhere()) return;
      if (!claim(upgrade.socket)) return;
      // From the request to the connection nobody listens to it.
      upgrade.socket.on("error", nothing);
      const refusal = this.#check(upgrade, request, found) ?? this.#letIn(request);
      if (refusal !== null || found === null) return this.#context.refuse(upgrade, request, refusal ?? NO_ROUTE);
      const name = `WebSocket of ${request.remoteAddress ?? "a Unix socket"}`;
      this.#group.createTask(this.#visit({ upgrade, request, found, elapsedMs }), { name });
    } catch (error) {
      this.#failHandshake(error, upgrade, undefined);
    }
  }

  #failHandshake(error: unknown, { socket }: Upgrade, request: ServerRequest | undefined): void {
    socket.destroy();
    this.failures.tell(error, { during: "handshake", request, socket: undefined });
  }

  #check({ message }: Upgrade, { isSecure }: ServerRequest, found: Found<Handler<User>> | null): Refusal | null {
    if (!this.#context.isOpen()) return CLOSING;
    const fault = faultOf(message);
    if (fault !== null) return fault;
    if (found === null) return NO_ROUTE;
    const { origin, host } = message.headers;
    const { localAddress } = message.socket;
    return this.#settled.mayConnect(origin, { host, isSecure, localAddress }) ? null : WRONG_ORIGIN;
  }

  #letIn({ remoteAddress }: ServerRequest): Refusal | null {
    const crowd = this.#admission.enter(remoteAddress);
    return crowd === null ? null : FULL[crowd];
  }

  /** The job of one client; it fails only when it is cancelled. A connection that is open for long keeps no handshake. */
  #visit(arrival: Arrival<User>): () => Promise<void> {
    const { handler } = arrival.found;
    const { remoteAddress } = arrival.request;
    let pending: Arrival<User> | null = arrival;
    const open = (): Promise<ServerConnection<User> | null> => {
      const opening = pending === null ? Promise.resolve(null) : this.#shakeHands(pending);
      pending = null;
      return opening;
    };
    return async () => {
      try {
        const socket = await open();
        if (socket !== null) await this.#handle(socket, handler);
      } finally {
        this.#admission.leave(remoteAddress);
      }
    };
  }

  async #shakeHands(arrival: Arrival<User>): Promise<ServerConnection<User> | null> {
    try {
      return await shakeHands(arrival, this.#context);
    } catch (error) {
      if (isEnding() && isCancelled(error)) throw error;
      this.#failHandshake(error, arrival.upgrade, arrival.request);
      return null;
    }
  }

  async #handle(socket: ServerConnection<User>, handler: Handler<User>): Promise<void> {
    this.connections.add(socket);
    this.counts.opened += 1;
    let code = 1000;
    try {
      await handler(socket);
    } catch (error) {
      // Whatever was thrown: of a server that ends nobody is told.
      if (isEnding() && isCancelled(error)) throw error;
      if (error instanceof ConnectionClosedError && socket.state !== "open") return;
      code = 1011;
      this.failures.tell(error, { during: "handler", request: socket.request, socket });
    } finally {
      await this.#sayGoodbye(socket, isEnding() ? 1001 : code);
      this.connections.delete(socket);
    }
  }

  /** Never throws. */
  async #sayGoodbye(socket: ServerConnection<User>, code: number): Promise<void> {
    if (socket.state === "closed") return;
    const timeoutMs = isEnding() ? HURRIED_CLOSE_MS : Infinity;
    try {
      await shield(() => socket.close(code), { timeoutMs });
    } catch {
      socket.terminate();
    }
  }
}

/** Whether the running task is cancelled: because its server is. */
function isEnding(): boolean {
  return currentScopeNode().effective !== null;
}

function nothing(): void {}
