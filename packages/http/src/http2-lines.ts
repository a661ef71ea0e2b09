// The HTTP/2 connections to one host, who waits for one, and those that are being made. A burst of requests to a new host
// waits for the first connection: only that one tells how many of them it can carry, or that the server speaks HTTP/1.1.

import type { Socket } from "node:net";

import { hungUp } from "./dial-failure.ts";
import type { Dial } from "./dialer.ts";
import type { DialTrace } from "./dialing.ts";
import { alpnOf, Http2Attempt } from "./http2-attempt.ts";
import { Http2Line, type LineListener, type LineOptions } from "./http2-line.ts";
import type { Host } from "./pool.ts";
import type { StreamCarrier } from "./stream-carrier.ts";

/** What happens to lines that concerns the pool. */
export interface LineKeeper {
  becameIdle(line: Http2Line): void;
  becameBusy(line: Http2Line): void;
  closed(line: Http2Line): void;
  /** The server speaks HTTP/1.1: the request goes on over a connection of its own, over this one if it is given. */
  fallBack(carrier: StreamCarrier, socket: Socket | null): void;
}

/** What the lines of all hosts have in common. */
export interface Http2LinesOptions extends LineOptions {
  readonly dial: Dial;
  readonly keeper: LineKeeper;
  /** The origins that have said of requests that they must come over HTTP/1.1. */
  readonly http1Origins: Set<string>;
}

const MOST_REMEMBERED = 1_000;

export class Http2Lines {
  readonly #host: Host;
  readonly #options: Http2LinesOptions;
  // The one made last comes last. All whose sockets are open.
  readonly #lines = new Set<Http2Line>();
  readonly #alone = new Set<Http2Line>();
  readonly #attempts = new Set<Http2Attempt>();
  // Invariant: nobody waits while a line has room. The longest waiter comes first.
  readonly #waiting = new Set<StreamCarrier>();
  #isServing = false;
  // How many streams a line had room for when it was asked last; before that, one is hoped to do for all.
  #perLine = Infinity;
  #isHttp1: boolean;

  constructor(host: Host, options: Http2LinesOptions) {
    this.#host = host;
    this.#options = options;
    this.#isHttp1 = options.http1Origins.has(host.origin);
  }

  /** Whether the server has chosen HTTP/1.1. */
  get isHttp1(): boolean {
    return this.#isHttp1;
  }

  /** Whether there is any connection. */
  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  /** How many lines are kept for later requests. */
  get idle(): number {
    let count = 0;
    for (const line of this.#lines) if (line.isIdle) count += 1;
    return count;
  }

  /** Whether the next request goes over a line that has served before. */
  get hasUsed(): boolean {
    return this.#lineWithRoom()?.isUsed === true;
  }

  /** Sends over a line with room, or when there is one. */
  take(carrier: StreamCarrier): void {
    if (!carrier.options.isAlone) {
      for (let line = this.#lineWithRoom(); line !== null; line = this.#lineWithRoom()) {
        if (carrier.run(line)) return;
      }
    }
    carrier.exchange?.connecting();
    if (carrier.options.isAlone) return this.#dial(carrier);
    this.#waiting.add(carrier);
    this.#dialForWaiting();
  }

  /** It does not wait any more. A connection that is being made for nobody else is given up. */
  leave(carrier: StreamCarrier): void {
    this.#waiting.delete(carrier);
    for (const attempt of this.#attempts) {
      const isWanted = attempt.owner === null ? this.#waiting.size > 0 : attempt.owner !== carrier;
      if (!isWanted) this.#abort(attempt);
    }
  }

  /** Closes all. Whoever waits has been told. */
  close(): Promise<void>[] {
    for (const attempt of this.#attempts) this.#abort(attempt);
    this.#waiting.clear();
    return [...this.#lines, ...this.#alone].map((line) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      line.destroy(resolve);
      return promise;
    });
  }

  #lineWithRoom(): Http2Line | null {
    let found: Http2Line | null = null;
    for (const line of this.#lines) if (line.room > 0) found = line;
    return found;
  }

  #serve(): void {
    // A request that fails at once changes the room again.
    if (this.#isServing) return;
    this.#isServing = true;
    for (const carrier of this.#waiting) {
      const line = this.#lineWithRoom();
      if (line === null) break;
      this.#waiting.delete(carrier);
      carrier.exchange?.connectedTo(line.socket.remoteAddress, true, "h2");
      // It comes last then; that line has no room any more.
      if (!carrier.run(line)) this.#waiting.add(carrier);
    }
    this.#isServing = false;
    this.#dialForWaiting();
  }

  /** Makes as many connections as those who wait need. */
  #dialForWaiting(): void {
    if (this.#waiting.size === 0) return;
    let opening = 0;
    for (const { owner } of this.#attempts) if (owner === null) opening += 1;
    for (const line of this.#lines) {
      // It takes nothing now, and another one would not be told anything else.
      if (line.limit === 0 && !line.isRetired) return;
      if (line.limit === null && !line.isRetired) opening += 1;
    }
    const needed = this.#perLine === Infinity ? 1 : Math.ceil(this.#waiting.size / this.#perLine);
    for (; opening < needed; opening += 1) this.#dial(null);
  }

  #dial(owner: StreamCarrier | null): void {
    const attempt = new Http2Attempt(owner);
    this.#attempts.add(attempt);
    attempt.start(this.#host, this.#options.dial, this.#traceOf(owner), (error, socket) => {
      if (!this.#attempts.delete(attempt)) return;
      if (error !== null || socket === null) this.#failed(owner, error ?? hungUp());
      else this.#connected(owner, socket);
    });
  }

  #traceOf(owner: StreamCarrier | null): DialTrace {
    return {
      connecting: () => {},
      resolved: (address) => {
        for (const carrier of owner === null ? this.#waiting : [owner]) carrier.exchange?.resolved(address);
      },
    };
  }

  #connected(owner: StreamCarrier | null, socket: Socket): void {
    if (alpnOf(socket) !== "h2") return this.#fallBack(owner, socket);
    const lines = owner === null ? this.#lines : this.#alone;
    const line = new Http2Line(this.#host, socket, this.#options, this.#listenerOf(lines));
    lines.add(line);
    if (owner === null) {
      this.#serve();
      // Others may have made room for those who waited.
      if (line.isIdle) line.rest();
      return;
    }
    owner.exchange?.connectedTo(socket.remoteAddress, true, "h2");
    if (!owner.run(line)) this.#failed(owner, hungUp());
  }

  #listenerOf(lines: Set<Http2Line>): LineListener {
    const { keeper } = this.#options;
    const wantsHttp1 = (): void => this.#endHttp2();
    if (lines === this.#alone) {
      const nothing = (): void => {};
      const closed = (line: Http2Line): void => void lines.delete(line);
      return { roomChanged: nothing, becameIdle: nothing, becameBusy: nothing, wantsHttp1, closed };
    }
    return {
      wantsHttp1,
      roomChanged: (line) => {
        if (line.limit !== null && line.limit > 0) this.#perLine = line.limit;
        this.#serve();
      },
      becameIdle: (line) => keeper.becameIdle(line),
      becameBusy: (line) => keeper.becameBusy(line),
      closed: (line) => {
        lines.delete(line);
        keeper.closed(line);
      },
    };
  }

  /** Another line would be told the same: from here on nobody gets one, in this session. */
  #endHttp2(): void {
    const { http1Origins } = this.#options;
    http1Origins.add(this.#host.origin);
    if (http1Origins.size > MOST_REMEMBERED) dropFirst(http1Origins);
    this.#fallBack(null, null);
  }

  #fallBack(owner: StreamCarrier | null, socket: Socket | null): void {
    const { keeper } = this.#options;
    this.#isHttp1 = true;
    for (const attempt of this.#attempts) if (attempt.owner === null && owner === null) this.#abort(attempt);
    let first = socket;
    const carriers = owner === null ? [...this.#waiting] : [owner];
    if (owner === null) this.#waiting.clear();
    if (socket !== null) carriers[0]?.exchange?.connectedTo(socket.remoteAddress, true, alpnOf(socket));
    for (const carrier of carriers) {
      keeper.fallBack(carrier, first);
      first = null;
    }
    // Other connections have served all who had waited for it.
    first?.destroy();
  }

  /** Everybody who waits for it fails, unless there is another one, or may still be. */
  #failed(owner: StreamCarrier | null, error: Error): void {
    if (owner !== null) return owner.exchange?.onResponseError(null, error);
    for (const attempt of this.#attempts) if (attempt.owner === null) return;
    for (const line of this.#lines) if (!line.isRetired) return;
    const carriers = [...this.#waiting];
    this.#waiting.clear();
    for (const carrier of carriers) carrier.exchange?.onResponseError(null, error);
  }

  #abort(attempt: Http2Attempt): void {
    if (this.#attempts.delete(attempt)) attempt.abort();
  }
}

function dropFirst(values: Set<string>): void {
  for (const value of values) {
    values.delete(value);
    return;
  }
}
