// What one attempt brought.

import type { Failure } from "./record.ts";

/** Filled in as things come. */
export interface Outcome {
  bytes: number;
  status?: number;
  finalUrl?: string;
  redirects?: readonly string[];
  /** From the start of the attempt to the head of the answer. */
  ttfbMs?: number;
  /** The media type. */
  type?: string;
  file?: string;
  /** Bytes of the file that had come before. */
  resumedFrom?: number;
  sha256?: string;
  body?: string;
  bodyBase64?: string;
  failure?: Failure;
  /** Whether it failed for want of something of this machine: that says nothing about the host. */
  isLocal?: boolean;
  /** How long the server wants to be left alone. */
  retryAfterMs?: number | undefined;
}
