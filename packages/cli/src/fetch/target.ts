// One URL to fetch, and how.

import type { Header } from "./headers.ts";
import { Host } from "./host.ts";

const NOWHERE = new Host("", 0);

/** What a list can say of a URL besides the URL. */
export interface TargetRequest {
  /** The user's own name for it; goes into the record. */
  readonly id?: string | undefined;
  /** In capitals. Without it, that of the run. */
  readonly method?: string | undefined;
  /** Added to those of the run, and counting before them. */
  readonly headers?: readonly Header[] | undefined;
  /** Without it, that of the run. */
  readonly body?: Uint8Array | undefined;
  /** What the SHA-256 of the body must be, in hexadecimal digits. */
  readonly checksum?: string | undefined;
  /** The name to save it under, instead of the one that comes from the URL. Not safe yet. */
  readonly out?: string | undefined;
}

const PLAIN: TargetRequest = {};

/** One URL of the list. */
export class Target {
  next: Target | null = null;
  /** Set when it enters a schedule. */
  host: Host = NOWHERE;
  /** How often it was requested. */
  attempts = 0;
  /** Counted from 1. */
  readonly index: number;
  /** As it stands in the list. May hold a password: see `shownUrl`. */
  readonly text: string;
  /** Its scheme, name and port. Not the whole URL: thousands of them wait at a time. */
  readonly origin: string;
  readonly request: TargetRequest;
  /** By which a journal knows it again; empty without one. */
  key = "";

  constructor(index: number, text: string, origin: string, request: TargetRequest = PLAIN) {
    this.index = index;
    this.text = text;
    this.origin = origin;
    this.request = request;
  }

  /** About how much memory its text and its body take, in bytes. */
  get weight(): number {
    return this.text.length + (this.request.body?.length ?? 0);
  }
}
