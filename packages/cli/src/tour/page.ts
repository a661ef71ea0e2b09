// `meanwhile tour --inspect`: the tour records itself, and a page shows it.

import { once } from "node:events";

import { cancellable } from "meanwhile";
import { startDiagnostics } from "meanwhile/diagnostics";

import { openPage } from "../inspect/open-page.ts";
import { print } from "../output/streams.ts";
import type { Stage } from "./stage.ts";

/**
 * Shows the page, and waits until somebody says at the terminal that it is open. Disposed, the tour is no longer recorded.
 *
 * Cancellation: ends the recording.
 *
 * @throws {@link CommandError} with exit code 3 if there is no page
 */
export async function openTourPage(stage: Stage): Promise<AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  // What is blocked on purpose is told by the chapter about it.
  const diagnostics = opened.use(startDiagnostics({ level: 3, report: false }));
  const socket = await diagnostics.ready;
  // It ends with this process, a little later than what it shows: so the page hears of that end.
  const viewer = await openPage({ socket: socket ?? "" });
  print(`\n  ${viewer.url}\n\n`);
  stage.say("Open this address in a browser: it shows the tour while it is played.");
  if (process.stdin.isTTY) await untilEnter();
  return opened.move();
}

async function untilEnter(): Promise<void> {
  print("  Press Enter to begin. ");
  try {
    await cancellable(once(process.stdin, "data"));
  } finally {
    // It would keep the process alive.
    process.stdin.pause();
  }
}
