// A viewer in a process of its own: it goes on answering while the program that started it is blocked.

import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

import { InspectorError } from "../errors.ts";
import type { ViewerOptions, ViewerTarget } from "./viewer.ts";

/** A viewer in another process. */
export interface SpawnedViewer {
  /** Its process. */
  readonly pid: number;
  /** What to open in a browser; see `Viewer.url`. */
  readonly url: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** Ends it. */
  end(): void;
}

/** What the process is told, and tells: over a channel that other users of the machine cannot see, unlike arguments. */
export interface ViewerOrder {
  readonly target: ViewerTarget;
  readonly options: ViewerOptions;
}

/** The answer to an order. */
export type ViewerReply = { readonly url: string } | { readonly error: string };

const PROGRAM = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../program.ts" : "../program.js", import.meta.url),
);

/**
 * Starts a viewer in another process. It does not keep this one alive, and ends with it.
 *
 * Cancellation: loses the viewer, which ends.
 *
 * @throws {@link InspectorError} `MW_ERR_INSPECTOR_NOT_STARTED` with what it said, if it could not begin
 */
export async function spawnViewer(target: ViewerTarget, options: ViewerOptions = {}): Promise<SpawnedViewer> {
  const child = fork(PROGRAM, [], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const reply = await replyOf(child, { target, options });
  if ("error" in reply) {
    child.kill();
    throw new InspectorError("MW_ERR_INSPECTOR_NOT_STARTED", reply.error);
  }
  child.unref();
  child.channel?.unref();
  return { pid: child.pid ?? 0, url: reply.url, ended, end: () => void child.kill() };
}

function replyOf(child: ChildProcess, order: ViewerOrder): Promise<ViewerReply> {
  return new Promise((resolve) => {
    child.once("message", (reply) => {
      resolve(isReply(reply) ? reply : { error: "Cannot start the viewer: its process says what is not understood" });
    });
    child.once("error", (error) => resolve({ error: `Cannot start the viewer: ${error.message}` }));
    child.once("exit", (code) => {
      resolve({ error: `Cannot start the viewer: its process ended with the exit code ${code}; see above` });
    });
    child.send(order);
  });
}

function isReply(value: unknown): value is ViewerReply {
  return typeof value === "object" && value !== null && ("url" in value || "error" in value);
}
