// One HTTP/2 connection and the streams on it.
//
//   young ──settings──▶ open ──goaway, error, close──▶ retired      (final; its streams may go on after a GOAWAY)

import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";

import type { HeaderLimits } from "./http2-fields.ts";
import type { Host } from "./pool.ts";

/** How the lines of a session are made. */
export interface LineOptions extends HeaderLimits {
  /** How long one without streams is kept, in milliseconds. */
  readonly idleMs: number;
  /** Runs what outlives the request that caused it. */
  readonly inContext: <R>(callback: () => R) => R;
}

/** Who is told what happens to a line. */
export interface LineListener {
  /** There may be more room than before. */
  roomChanged(line: Http2Line): void;
  /** The last stream has ended: it is kept for later requests. */
  becameIdle(line: Http2Line): void;
  /** A stream begins on an idle one. */
  becameBusy(line: Http2Line): void;
  /** The server has said that it wants HTTP/1.1. */
  wantsHttp1(): void;
  /** Its socket is closed. */
  closed(line: Http2Line): void;
}

const WINDOW_BYTES = 256 * 1024;
const CONNECTION_WINDOW_BYTES = 1024 * 1024;
/**
 * Node counts the caller's own bodies too, and would refuse answers while a large one is under way. What a server can make
 * us hold is bounded by the windows and by the limits of header fields.
 */
const UNBOUNDED_MB = 1_000_000;
/** Node refuses what goes so far beyond the limits, with an error that says less than ours, but before it is in memory. */
const FAR_BEYOND = 4;
/** nghttp2: the frame was never sent. */
const HEADERS_FRAME = 1;
const REFUSED_STREAM = 7;
const HTTP_1_1_REQUIRED = 13;

export class Http2Line {
  readonly host: Host;
  readonly socket: Socket;
  /** Whether an answer has come over it. */
  isUsed = false;
  /** How many streams the server allows at once; null until it has said so. */
  limit: number | null = null;
  /** Why it is retired, if it failed. */
  error: Error | null = null;
  readonly #session: ClientHttp2Session;
  readonly #options: LineOptions;
  readonly #listener: LineListener;
  readonly #streams = new Set<ClientHttp2Stream>();
  // The streams that the server has never seen.
  readonly #unsent = new WeakSet<ClientHttp2Stream>();
  // Asked whether it is still there, and it has not said so yet.
  #isDoubtful = false;
  #isRetired = false;
  #isClosed = false;
  #lastStreamId = Infinity;
  #goawayCode: number | null = null;
  #idleTimer: ReturnType<typeof setTimeout> | null = null;
  readonly #whenClosed: (() => void)[] = [];

  constructor(host: Host, socket: Socket, options: LineOptions, listener: LineListener) {
    this.host = host;
    this.socket = socket;
    this.#options = options;
    this.#listener = listener;
    // Not imported: what its module brings along would put the fetch of Node in place.
    const { connect } = process.getBuiltinModule("node:http2");
    this.#session = connect(host.origin, {
      createConnection: () => socket,
      maxSessionMemory: UNBOUNDED_MB,
      maxHeaderListPairs: mostOf(options.maxHeaderCount),
      settings: {
        enablePush: false,
        initialWindowSize: WINDOW_BYTES,
        maxHeaderListSize: mostOf(options.maxHeaderBytes),
      },
    });
    this.#session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    this.#listen();
  }

  get isIdle(): boolean {
    return this.#streams.size === 0 && !this.isRetired;
  }

  /** Whether it takes no more streams, ever. */
  get isRetired(): boolean {
    // Node knows before it tells.
    return this.#isRetired || this.#session.closed || this.#session.destroyed;
  }

  /** How many more streams can be opened now. Until the server has said how many it takes, there is one. */
  get room(): number {
    if (this.#isDoubtful || this.isRetired) return 0;
    return Math.max(0, (this.limit ?? 1) - this.#streams.size);
  }

  /** Opens a stream. Throws for a head that cannot be sent. */
  open(fields: OutgoingHttpHeaders, hasBody: boolean): ClientHttp2Stream {
    const stream = this.#session.request(fields, { endStream: !hasBody });
    if (this.#streams.size === 0) {
      this.#stopIdle();
      this.#session.ref();
      this.#listener.becameBusy(this);
    }
    this.#streams.add(stream);
    stream.on("frameError", (type: number) => {
      if (type === HEADERS_FRAME) this.#unsent.add(stream);
    });
    stream.once("close", () => {
      if (stream.rstCode === HTTP_1_1_REQUIRED) this.#endHttp2();
      this.leave(stream);
    });
    return stream;
  }

  /** A stream is over, or nobody wants it any more. */
  leave(stream: ClientHttp2Stream): void {
    if (!this.#streams.delete(stream) || this.#isClosed) return;
    if (this.#streams.size === 0) this.rest();
    this.#listener.roomChanged(this);
  }

  /** Whether the server cannot have done anything about the request of a stream that failed. */
  hasRefused(stream: ClientHttp2Stream): boolean {
    if (stream.rstCode === REFUSED_STREAM || this.#unsent.has(stream)) return true;
    // If it was said of this stream. Of those that a GOAWAY ends only the last id tells what was done.
    if (stream.rstCode === HTTP_1_1_REQUIRED && this.#goawayCode !== HTTP_1_1_REQUIRED) return true;
    return (stream.id ?? 0) > this.#lastStreamId;
  }

  /** A request was given up before anything came: until the server proves that it is there, no other is sent. */
  doubt(): void {
    if (this.#isDoubtful || this.isRetired) return;
    this.#isDoubtful = true;
    this.#options.inContext(() =>
      this.#session.ping((error) => {
        if (error !== null) return;
        this.#isDoubtful = false;
        this.#listener.roomChanged(this);
      }),
    );
  }

  /** Closes it, whatever goes on over it. */
  destroy(whenClosed?: () => void): void {
    if (this.#isClosed) return whenClosed?.();
    if (whenClosed !== undefined) this.#whenClosed.push(whenClosed);
    this.#retire();
    this.#session.destroy();
    this.socket.destroy();
  }

  #listen(): void {
    const session = this.#session;
    session.on("remoteSettings", ({ maxConcurrentStreams = Infinity }) => {
      this.limit = maxConcurrentStreams;
      this.#listener.roomChanged(this);
    });
    session.on("goaway", (code: number, lastStreamId: number) => {
      this.#lastStreamId = Math.min(this.#lastStreamId, lastStreamId);
      this.#goawayCode = code;
      if (code === HTTP_1_1_REQUIRED) this.#endHttp2();
      else this.#retire();
      if (this.#streams.size === 0) this.destroy();
    });
    session.on("error", (error: Error) => {
      this.error = error;
      this.#retire();
    });
    session.on("close", () => this.#retire());
    const closed = (): void => this.#closed();
    this.socket.on("close", closed);
    // A socket may have been closed before anybody listened.
    if (this.socket.closed) process.nextTick(closed);
  }

  /** It has no streams: it is kept for a while, if it can be. */
  rest(): void {
    if (this.isRetired) return this.destroy();
    this.#session.unref();
    this.#stopIdle();
    this.#options.inContext(() => {
      this.#idleTimer = setTimeout(() => this.destroy(), this.#options.idleMs).unref();
    });
    this.#listener.becameIdle(this);
  }

  #endHttp2(): void {
    this.#listener.wantsHttp1();
    this.#retire();
  }

  #retire(): void {
    if (this.#isRetired) return;
    this.#isRetired = true;
    this.#stopIdle();
    this.#listener.roomChanged(this);
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retire();
    // Its streams end with it.
    this.#session.destroy();
    this.#listener.closed(this);
    for (const callback of this.#whenClosed.splice(0)) callback();
  }

  #stopIdle(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = null;
  }
}

/** As much as a setting can hold. */
function mostOf(limit: number): number {
  return Math.min(limit * FAR_BEYOND + 64, 2 ** 31 - 1);
}
