// The viewer: a small HTTP server on 127.0.0.1 that gives the page to a browser, and to the page what it asks.
//
// The threats it stands against have numbers, I1 to I9; every one of them has a test in test/threats.test.ts.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

import { InspectorError } from "../errors.ts";
import { checkMethod, checkOrigin, checkToken, newToken } from "./access.ts";
import { checkRecording, FileSource } from "./file-source.ts";
import { SECURITY_HEADERS } from "./headers.ts";
import { LiveSource } from "./live-source.ts";
import { type PageFile, readPage } from "./page-files.ts";
import { RefusedRequest } from "./refusal.ts";
import type { Source } from "./source.ts";

/** What a viewer shows: a program by its socket, or a recording by its path. */
export type ViewerTarget = { readonly socket: string } | { readonly recording: string };

/** How a viewer is started. */
export interface ViewerOptions {
  /** The port on 127.0.0.1; 0, the default, for any that is free. */
  readonly port?: number;
  /**
   * What may be done beyond looking: `cancel`, the only one there is, lets the page cancel a task, if the program allows it
   * too. Nothing by default.
   */
  readonly allow?: readonly ViewerAction[];
}

/** What a viewer may do, if it is allowed. */
export type ViewerAction = "cancel";

/** How many connections it has at most. */
const MOST_CONNECTIONS = 64;
/** How many answers it gives at once at most. */
const MOST_ANSWERS = 16;
/** A client that sends nothing for so long is gone. */
const SILENT_MS = 30_000;
/** There is no interface to choose: nobody but this machine can connect. */
const LOOPBACK = "127.0.0.1";

/**
 * A viewer that is on. It shows a program, and can do nothing to it but what was allowed.
 */
export class Viewer implements AsyncDisposable {
  readonly #server: Server;
  readonly #source: Source;
  readonly #files: ReadonlyMap<string, PageFile>;
  readonly #allow: readonly ViewerAction[];
  readonly #token: string = newToken();
  #answers = 0;

  /** @internal */
  constructor(source: Source, files: ReadonlyMap<string, PageFile>, allow: readonly ViewerAction[]) {
    this.#source = source;
    this.#allow = allow;
    this.#files = files;
    this.#server = createServer({ requestTimeout: SILENT_MS, keepAliveTimeout: 5_000, maxHeaderSize: 8_192 });
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.on("request", (request, response) => void this.#answer(request, response));
    // An upgrade, to a web socket or anything else, ends the connection.
    this.#server.on("upgrade", (_, socket) => socket.destroy());
  }

  /** Where it listens. */
  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === "object" ? address.port : 0;
  }

  /**
   * What to open in a browser. The secret stands after the `#`, which browsers send to nobody: whoever has this address
   * can look at the program.
   */
  get url(): string {
    return `http://${LOOPBACK}:${this.port}/#${this.#token}`;
  }

  /**
   * Begins to listen.
   *
   * Cancellation: safe. It is decided at once.
   *
   * @internal
   */
  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: LOOPBACK, port }, () => {
        this.#server.off("error", reject);
        this.#server.on("error", () => {});
        resolve();
      });
    });
  }

  /**
   * Ends it, and every connection.
   *
   * Cancellation: safe. It ends all the same.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => {}); // a browser that has gone
    try {
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
      checkOrigin(request, this.port);
      checkMethod(request, this.#allow.includes("cancel"));
      await this.#route(request, response);
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      refuse(response, error);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    // Anything but a path, like the whole URL that is sent to a proxy, is in no map, and begins with no slash.
    const file = this.#files.get(path);
    if (file !== undefined) return send(response, file.type, file.body);
    if (!path.startsWith("/v1/") && path !== "/viewer") {
      throw new RefusedRequest(404, "Cannot find this file of the page");
    }
    checkToken(request, this.#token);
    if (path === "/viewer") return send(response, "application/json", JSON.stringify(this.#description()));
    if (this.#answers >= MOST_ANSWERS) {
      throw new RefusedRequest(503, `Cannot answer more than ${MOST_ANSWERS} questions at once; close a window`);
    }
    this.#answers += 1;
    response.once("close", () => (this.#answers -= 1));
    await this.#source.answer(path, response, request.method === "POST" ? "POST" : "GET");
  }

  #description(): object {
    return { kind: this.#source.kind, allow: this.#allow };
  }
}

/**
 * Starts a viewer in this process. The program that it shows is another one: to show your own use {@link spawnViewer}.
 *
 * Cancellation: loses the viewer. It takes no longer than opening a file.
 *
 * @throws {@link InspectorError} `MW_ERR_INSPECTOR_NOT_A_RECORDING` if the file is none, `MW_ERR_INSPECTOR_NOT_BUILT` if
 * the page is not there, `MW_ERR_INSPECTOR_NOT_STARTED` if the port cannot be listened on
 *
 * @example
 * ```ts
 * import { startViewer } from "@meanwhile/inspector";
 *
 * await using viewer = await startViewer({ socket: "/run/user/1000/meanwhile/4242.sock" });
 * console.log(new URL(viewer.url).hostname); //> 127.0.0.1
 * ```
 */
export async function startViewer(target: ViewerTarget, options: ViewerOptions = {}): Promise<Viewer> {
  const { port = 0, allow = [] } = checkOptions(options);
  const source = "socket" in target ? new LiveSource(target.socket) : new FileSource(target.recording);
  if ("recording" in target) await checkRecording(target.recording);
  const viewer = new Viewer(source, readPage(), allow);
  try {
    await viewer.listen(port);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InspectorError(
      "MW_ERR_INSPECTOR_NOT_STARTED",
      `Cannot listen on ${LOOPBACK}:${port}: ${why}; pass another port, or 0`,
      { cause: error },
    );
  }
  return viewer;
}

/** A name that is none of ours may be one that makes it less safe, as `host` would: it is not passed over. */
function checkOptions(options: ViewerOptions): ViewerOptions {
  const unknown = Object.keys(options).find((name) => name !== "port" && name !== "allow");
  if (unknown !== undefined) {
    throw new InspectorError(
      "MW_ERR_INSPECTOR_INVALID_ARGUMENT",
      `Cannot start the viewer with "${unknown}": there are only "port" and "allow", and it listens on ${LOOPBACK} alone; leave it out`,
    );
  }
  const { port = 0, allow = [] } = options;
  const strange = allow.find((action) => action !== "cancel");
  if (strange !== undefined) {
    throw new InspectorError(
      "MW_ERR_INSPECTOR_INVALID_ARGUMENT",
      `Cannot start the viewer: 'allow' has ${JSON.stringify(strange)}; there is only "cancel"`,
    );
  }
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return options;
  throw new InspectorError(
    "MW_ERR_INSPECTOR_INVALID_ARGUMENT",
    `Cannot start the viewer: 'port' is ${port}; pass an integer from 0 to 65535`,
  );
}

function send(response: ServerResponse, type: string, body: Buffer | string): void {
  response.setHeader("content-type", type);
  response.end(body);
}

function refuse(response: ServerResponse, error: unknown): void {
  const status = error instanceof RefusedRequest ? error.status : 500;
  const text = error instanceof Error ? error.message : String(error);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ type: "refusal", error: text }));
}
