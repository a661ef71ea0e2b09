// Asks a viewer as somebody would who writes every header himself.

import { request } from "node:http";
import { connect } from "node:net";

import type { Viewer } from "../../src/index.ts";

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** How it is asked. */
export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The secret of a viewer. */
export function tokenOf({ url }: Viewer): string {
  return new URL(url).hash.slice(1);
}

/** The header with the secret. */
export function withToken(viewer: Viewer): { authorization: string } {
  return { authorization: `Bearer ${tokenOf(viewer)}` };
}

/** Sends a request, and reads the answer to its end. */
export function ask(viewer: Viewer, path: string, { method = "GET", headers = {} }: Question = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: viewer.port, path, method, headers, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (text += chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** Sends the very bytes, and returns the first line of what comes back. */
export function askRaw(viewer: Viewer, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(viewer.port, "127.0.0.1", () => socket.write(bytes));
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => (text += chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(text.split("\r\n")[0] ?? ""));
  });
}
