// The main module of the process of a viewer: see viewer/spawn-viewer.ts. Nobody imports it.

import type { ViewerOrder, ViewerReply } from "./viewer/spawn-viewer.ts";
import { startViewer } from "./viewer/viewer.ts";

process.once("message", (order) => void obey(order));
const LAST_WORDS_MS = 500;

// Ctrl-C goes to everybody at the terminal; a program that cleans up for a while is looked at until its end.
process.on("SIGINT", () => {});
// Whoever has started it is gone: nobody is left to end it. The last that the program has said may still be on its way.
process.once("disconnect", () => void setTimeout(() => process.exit(), LAST_WORDS_MS));

async function obey(order: unknown): Promise<void> {
  if (!isOrder(order)) return;
  const reply = await replyTo(order);
  // Without whoever has started it there is nobody to reply to.
  if (process.send === undefined || process.disconnect === undefined) return;
  process.send(reply);
  if ("error" in reply) process.disconnect();
}

async function replyTo({ target, options }: ViewerOrder): Promise<ViewerReply> {
  try {
    const { url } = await startViewer(target, options);
    return { url };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function isOrder(value: unknown): value is ViewerOrder {
  return typeof value === "object" && value !== null && "target" in value && "options" in value;
}
