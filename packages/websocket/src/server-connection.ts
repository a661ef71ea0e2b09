// A connection as a server has it.

import { Connection, type ConnectionParts } from "./connection.ts";
import type { ServerRequest } from "./server-request.ts";

/** @internal What a server knows of a connection beside the connection. */
export interface ServerConnectionParts<User> extends ConnectionParts {
  readonly request: ServerRequest;
  readonly params: Readonly<Record<string, string>>;
  readonly user: User;
}

/** A connection that a server has taken; what a handler gets. */
export class ServerConnection<User = undefined> extends Connection {
  /** What the client has asked for. */
  readonly request: ServerRequest;
  /** What the pattern of the route has caught of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** What `authenticate` has returned; undefined without one. */
  readonly user: User;

  /** @internal */
  constructor(parts: ServerConnectionParts<User>) {
    super(parts);
    this.request = parts.request;
    this.params = parts.params;
    this.user = parts.user;
  }
}
