// What the commands that ask programs have in common: a run, which a signal ends.

import { CancelledError, run } from "meanwhile";

import { EXIT } from "../errors.ts";

/**
 * Runs a command and returns its exit code; that of the signal, if one has ended it.
 *
 * @param handleSignals - whether signals end it; false if the command takes care of them
 *
 * Cancellation: reaches the command.
 */
export async function runCommand(
  name: string,
  command: () => Promise<number>,
  { handleSignals = true }: { readonly handleSignals?: boolean } = {},
): Promise<number> {
  try {
    return await run(command, { name, handleSignals });
  } catch (error) {
    if (error instanceof CancelledError && error.reason === "SIGINT") return EXIT.interrupted;
    if (error instanceof CancelledError && error.reason === "SIGTERM") return EXIT.terminated;
    throw error;
  }
}
