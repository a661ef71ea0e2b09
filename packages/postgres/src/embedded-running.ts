// A running server as those see it who use it.

import { USER } from "./embedded-data.ts";

/** A server that runs at least until it is released. */
export interface Running {
  readonly dsn: string;
  readonly tcpDsn: string | undefined;
  readonly dataDir: string;
  readonly majorVersion: number;
  readonly pid: number;
  /** Whether it runs, which is known sooner than that it has ended. */
  isAlive(): boolean;
  /** Settles when it has ended, whoever ended it. */
  readonly ended: Promise<unknown>;
  /** Lets go of it, and waits until it has ended unless somebody else holds it. */
  release(): Promise<void>;
}

/** Over the socket in the private directory. */
export function dsnOf(directory: string, port: number): string {
  return `postgresql://${USER}@${encodeURIComponent(directory)}:${port}/${USER}`;
}

/** Over TCP; a password is asked for there, unless the data directory was not made by us. */
export function tcpDsnOf(port: number, password: string | null): string {
  const secret = password === null ? "" : `:${password}`;
  return `postgresql://${USER}${secret}@127.0.0.1:${port}/${USER}`;
}
