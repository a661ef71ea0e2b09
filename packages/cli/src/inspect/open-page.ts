// Starts the viewer, and says as the command line does why it cannot be.

import {
  InspectorError,
  type SpawnedViewer,
  spawnViewer,
  type ViewerOptions,
  type ViewerTarget,
} from "@meanwhile/inspector";

import { CommandError, EXIT } from "../errors.ts";

/**
 * Starts the viewer.
 *
 * Cancellation: loses the viewer, which ends with this process.
 *
 * @throws {@link CommandError} with exit code 3 if there is nothing that it can show
 */
export async function openPage(target: ViewerTarget, options: ViewerOptions = {}): Promise<SpawnedViewer> {
  try {
    return await spawnViewer(target, options);
  } catch (error) {
    if (!(error instanceof InspectorError)) throw error;
    throw new CommandError(EXIT.notStarted, error.message, { cause: error });
  }
}
