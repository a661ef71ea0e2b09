// Many hosts that fail in many ways, as the paths of their URLs say, and count what they are asked.
//
// A path is /KIND/TIMES/NUMBER: the first so many requests for it meet the fault, later ones are answered.

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { FailureCode } from "../../src/fetch/record.ts";

/** Without a byte for so long, requests are to be given up (`--idle-timeout`). */
export const IDLE_MS = 1_000;
/** An answer may be on its way to the client, and a request to the host, for so long, on a machine that is busy. */
const ON_THE_WAY_MS = 400;
const TIMER_MS = 2;
const REST_S = 1;
const BODY = "x".repeat(2_000);

type ServedFault =
  | "drip"
  | "fine"
  | "garbage"
  | "late"
  | "reset"
  | "reset-body"
  | "short"
  | "silence"
  | "too-many"
  | "unavailable";
export type FaultKind = ServedFault | "refused";

type Fault = (request: IncomingMessage, response: ServerResponse, host: FaultyHost) => void;

const FAULTS: Readonly<Record<ServedFault, Fault>> = {
  fine: (_, response) => void response.end(BODY),
  late: (_, response) => void setTimeout(() => response.end(BODY), 200),
  reset: (request) => void request.socket.resetAndDestroy(),
  "reset-body": (request, response) => breakOff(response, () => request.socket.resetAndDestroy()),
  short: (request, response) => breakOff(response, () => request.socket.destroy()),
  drip: (_, response) => drip(response, 10),
  silence: () => {},
  unavailable: (_, response, host) => host.rest(response, 503),
  "too-many": (_, response, host) => host.rest(response, 429),
  garbage: ({ socket }) => void socket.end("this is not HTTP\r\n\r\n"),
};

/** What a record says where the fault is met by every attempt; nothing where that is no failure. */
export const CODES: Readonly<Record<FaultKind, readonly FailureCode[]>> = {
  fine: [],
  late: [],
  reset: ["reset"],
  "reset-body": ["reset", "incomplete"],
  short: ["incomplete"],
  drip: [],
  silence: ["stall"],
  unavailable: ["http_5xx"],
  "too-many": ["rate_limited"],
  garbage: ["protocol"],
  // Of a host that does not listen at all.
  refused: ["connect", "policy_blocked"],
};

function breakOff(response: ServerResponse, end: () => void): void {
  response.setHeader("content-length", BODY.length);
  response.write(BODY.slice(0, 500), () => setTimeout(end, 5));
}

function drip(response: ServerResponse, drops: number): void {
  if (drops === 0) response.end();
  else response.write("drop", () => setTimeout(drip, 20, response, drops - 1));
}

function isFault(kind: string): kind is ServedFault {
  return Object.hasOwn(FAULTS, kind);
}

class FaultyHost {
  readonly server: Server = createServer((request, response) => this.#answer(request, response));
  requests = 0;
  mostRunning = 0;
  /** Requests that came although the host had asked to be left alone. */
  early = 0;
  rests = 0;
  readonly #counts = new Map<string, number>();
  #running = 0;
  /** How long after it had asked the last request came that was on its way then. */
  latestMs = 0;
  #restFrom = Infinity;
  #restUntil = -Infinity;

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Asks to be left alone. */
  rest(response: ServerResponse, status: number): void {
    const time = performance.now();
    if (time > this.#restUntil) this.#restFrom = time;
    this.#restUntil = time + REST_S * 1_000 - TIMER_MS;
    this.rests += 1;
    response.writeHead(status, { "retry-after": `${REST_S}` }).end();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { url = "" } = request;
    const time = performance.now();
    this.#compareWithRest(time);
    this.requests += 1;
    this.#countUntilClosed(response, url.startsWith("/silence/"));
    const count = (this.#counts.get(url) ?? 0) + 1;
    this.#counts.set(url, count);
    const [, kind = "", times = "0"] = url.split("/");
    FAULTS[isFault(kind) && count <= Number(times) ? kind : "fine"](request, response, this);
  }

  #compareWithRest(time: number): void {
    if (time < this.#restFrom || time >= this.#restUntil) return;
    const afterMs = time - this.#restFrom;
    if (afterMs > ON_THE_WAY_MS) this.early += 1;
    else this.latestMs = Math.max(this.latestMs, afterMs);
  }

  #countUntilClosed(response: ServerResponse, isSilent: boolean): void {
    this.#running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.#running);
    let isCounted = true;
    const close = (): void => {
      if (isCounted) this.#running -= 1;
      isCounted = false;
    };
    response.once("close", close);
    // Who has given up may be here again before the end of the old connection is seen.
    if (isSilent) setTimeout(close, IDLE_MS * 0.9);
  }
}

/** What the hosts have counted. */
export interface Counted {
  readonly requests: number;
  /** The most at one host at once. */
  readonly mostRunning: number;
  readonly early: number;
  /** How long after a host had asked to be left alone the last request came that was on its way then. */
  readonly latestMs: number;
  /** How often they asked to be left alone. */
  readonly rests: number;
}

/** Hosts of which the first does not listen. */
export class FaultyHosts implements AsyncDisposable {
  readonly #hosts: readonly FaultyHost[];
  readonly #origins: readonly string[];

  private constructor(hosts: readonly FaultyHost[], deadOrigin: string) {
    this.#hosts = hosts;
    this.#origins = [deadOrigin, ...hosts.map(({ origin }) => origin)];
  }

  /** Starts all but one of so many. */
  static async start(count: number): Promise<FaultyHosts> {
    const hosts = Array.from({ length: count }, () => new FaultyHost());
    await Promise.all(
      hosts.map(({ server }) => {
        server.listen(0, "127.0.0.1", 1_024);
        return once(server, "listening");
      }),
    );
    const [dead, ...others] = hosts;
    const origin = dead?.origin ?? "";
    dead?.server.close();
    return new FaultyHosts(others, origin);
  }

  /** The URL with that number, counted from 0: one at each host in turn. */
  urlOf(number: number, kind: FaultKind, times: number): string {
    return `${this.#origins[number % this.#origins.length]}/${kind}/${times}/${number}`;
  }

  /** Whether the URL with that number is at the host that does not listen. */
  isDead(number: number): boolean {
    return number % this.#origins.length === 0;
  }

  get counted(): Counted {
    const sum = (key: "requests" | "early" | "rests"): number =>
      this.#hosts.reduce((total, host) => total + host[key], 0);
    const most = (key: "mostRunning" | "latestMs"): number => Math.max(...this.#hosts.map((host) => host[key]));
    const [mostRunning, latestMs] = [most("mostRunning"), most("latestMs")];
    return { requests: sum("requests"), mostRunning, early: sum("early"), latestMs, rests: sum("rests") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { server } of this.#hosts) {
      server.closeAllConnections();
      server.close();
    }
  }
}
