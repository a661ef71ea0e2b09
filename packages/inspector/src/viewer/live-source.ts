// A program that runs: what the page asks is asked at its socket, and what that answers is handed on as it comes.

import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

import { systemCodeOf } from "../errors.ts";
import { RefusedRequest } from "./refusal.ts";
import type { Source } from "./source.ts";

/** The questions that may be handed on: all but the last only look, and that one is a POST. */
const QUESTIONS = new Set(["/v1/hello", "/v1/snapshot", "/v1/remote", "/v1/stream", "/v1/trace", "/v1/cancel"]);
const TYPES = new Set(["application/json", "application/x-ndjson"]);

/** How long the program may take to begin an answer. It comes from a thread that nothing blocks. */
const ANSWER_MS = 10_000;

/** Asks the program that listens at this socket. */
export class LiveSource implements Source {
  readonly kind = "live";
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  async answer(path: string, response: ServerResponse, method: string): Promise<void> {
    const [pathname = ""] = path.split("?");
    if (!QUESTIONS.has(pathname)) throw new RefusedRequest(404, "Cannot find this: ask for one of /v1/");
    const answer = await this.#ask(path, response, method);
    // Its own headers stay behind: an answer of ours has ours, whoever listens at the socket.
    const [type = ""] = (answer.headers["content-type"] ?? "").split(";");
    response.statusCode = answer.statusCode ?? 502;
    response.setHeader("content-type", TYPES.has(type) ? type : "text/plain");
    response.flushHeaders();
    // What the page does not read is not read from the program either, so nothing piles up here.
    await pipeline(answer, response).catch(() => response.destroy());
  }

  #ask(path: string, response: ServerResponse, method: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const how = { agent: false, headers: { host: "meanwhile" }, timeout: ANSWER_MS } as const;
      const asked = request({ ...how, socketPath: this.#socket, path, method });
      asked.once("response", (answer) => {
        asked.setTimeout(0);
        resolve(answer);
      });
      asked.once("timeout", () => asked.destroy(new RefusedRequest(504, "Cannot ask the program: it does not answer")));
      asked.on("error", (error) => reject(refusalOf(error)));
      response.once("close", () => asked.destroy());
      asked.end();
    });
  }
}

function refusalOf(error: Error): RefusedRequest {
  if (error instanceof RefusedRequest) return error;
  const code = systemCodeOf(error);
  const isGone = code === "ENOENT" || code === "ECONNREFUSED" || code === "ECONNRESET";
  return new RefusedRequest(502, `Cannot ask the program: ${isGone ? "it has ended" : error.message}`);
}
