// What pg tells of a connection besides the answers that go to an operation.

import type { Socket } from "node:net";

import { reportSuppressed } from "meanwhile/lowlevel";

import type { PgClient } from "./driver.ts";
import type { ServerFields } from "./errors.ts";
import type { Operation } from "./operation.ts";

/** A message of NOTIFY. */
export interface LinkNotification {
  readonly channel: string;
  readonly payload: string;
  /** The process of the server that sent it. */
  readonly processId: number;
}

/** What the server says besides answers: warnings, and what RAISE NOTICE gives. */
export type LinkNotice = ServerFields;

/** Who is told what. */
export interface LinkListeners {
  /** The connection has ended, or can no longer be used. */
  lost(error: Error | null): void;
  drained(): void;
  /** Names without a schema mean something else. Servers before 18 do not tell. */
  searchPathChanged(): void;
  /** What runs. */
  operation(): Operation<unknown> | null;
  notification(notification: LinkNotification): void;
  notice(notice: LinkNotice): void;
}

export function listenTo(client: PgClient, socket: Socket, to: LinkListeners): void {
  const { connection } = client;
  client.on("error", (error: Error) => to.lost(error));
  client.on("end", () => to.lost(null));
  client.on("notification", (message: LinkNotification) => {
    const { channel, payload, processId } = message;
    to.notification({ channel, payload, processId });
  });
  client.on("notice", (notice: LinkNotice) => to.notice(notice));
  connection.on("parameterDescription", (message: { readonly dataTypeIDs: number[] }) =>
    to.operation()?.handleParameters(message.dataTypeIDs),
  );
  connection.on("parameterStatus", ({ parameterName }: { readonly parameterName: string }) => {
    if (parameterName === "search_path") to.searchPathChanged();
  });
  connection.on("noData", () => to.operation()?.handleNoData());
  connection.on("copyOutResponse", () => to.operation()?.handleCopyOutResponse());
  socket.on("drain", () => to.drained());
}

/** Calls what a user has given: whatever it throws must not end the connection. */
export function tell<T>(listener: ((value: T) => void) | null, value: T): void {
  try {
    listener?.(value);
  } catch (error) {
    reportSuppressed(error, "A listener of a PostgreSQL connection failed");
  }
}
