// What clients and workers of a queue sign with, as the environment says it.

import { usageError } from "../../errors.ts";

const NAME = "MEANWHILE_CLUSTER_SECRET";
const LEAST_BYTES = 16;

/**
 * The secret in the environment; undefined if there is none, or an empty one.
 *
 * @throws {@link CommandError} with exit code 2 if it is too short
 */
export function clusterSecret(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const secret = env[NAME] ?? "";
  if (secret === "") return undefined;
  if (Buffer.byteLength(secret) >= LEAST_BYTES) return secret;
  // The secret itself must be in no message.
  throw usageError(
    `${NAME} is shorter than ${LEAST_BYTES} bytes: give all clients and workers of the queue a longer one`,
  );
}
