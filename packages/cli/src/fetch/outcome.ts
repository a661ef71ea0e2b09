// What one attempt brought.

import type { Failure } from "./record.ts";

/** Filled in as things come. */
export interface Outcome {
  bytes: number;
  /** Bytes of the body as they came, before decompression. */
  wireBytes?: number | undefined;
  status?: number | undefined;
  finalUrl?: string | undefined;
  redirects?: readonly string[] | undefined;
  /** From the start of the attempt to the head of the answer. */
  ttfbMs?: number | undefined;
  /** The address the answer came from. */
  ip?: string | undefined;
  /** The media type. */
  type?: string | undefined;
  file?: string | undefined;
  /** Bytes of the file that had come before. */
  resumedFrom?: number | undefined;
  sha256?: string | undefined;
  body?: string | undefined;
  bodyBase64?: string | undefined;
  failure?: Failure | undefined;
  /** Whether it failed for want of something of this machine: that says nothing about the host. */
  isLocal?: boolean | undefined;
  /** How long the server wants to be left alone. */
  retryAfterMs?: number | undefined;
}

/** An outcome without anything in it. With all its fields: objects that grow are slow. */
export function noOutcome(): Outcome {
  return {
    bytes: 0,
    wireBytes: undefined,
    status: undefined,
    finalUrl: undefined,
    redirects: undefined,
    ttfbMs: undefined,
    ip: undefined,
    type: undefined,
    file: undefined,
    resumedFrom: undefined,
    sha256: undefined,
    body: undefined,
    bodyBase64: undefined,
    failure: undefined,
    isLocal: undefined,
    retryAfterMs: undefined,
  };
}
