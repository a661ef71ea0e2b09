// pg, as far as it is used here: one Client for one socket that we have made. Loaded when the first connection is: it is slow.

import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";

import { PostgresError } from "./errors.ts";
import { MessageSplitter } from "./message-splitter.ts";
import type { Field } from "./operation.ts";

/** What pg calls while an operation runs. */
export interface Submittable {
  submit(): void;
  handleRowDescription(message: { readonly fields: Field[] }): void;
  handleDataRow(): void;
  handlePortalSuspended(): void;
  handleCommandComplete(message: { readonly text: string }): void;
  handleEmptyQuery(): void;
  handleCopyInResponse(): void;
  handleCopyData(message: { readonly chunk: Buffer }): void;
  handleReadyForQuery(): void;
  handleError(error: Error): void;
}

/** pg's `Connection`: it parses what comes and emits it. */
interface PgConnection extends EventEmitter {
  /** Ours: takes the rows out before pg sees them. Set when there is something to listen to. */
  splitter: MessageSplitter | null;
  attachListeners(stream: Socket): void;
}

/** pg's `Client`: it logs in, and knows which operation runs. */
export interface PgClient extends EventEmitter {
  readonly connection: PgConnection;
  readonly processID: number | null;
  readonly secretKey: number | null;
  connect(callback: (error: Error | null | undefined) => void): void;
  query(operation: Submittable): void;
  getTransactionStatus(): "I" | "T" | "E" | null;
  end(callback: () => void): void;
}

interface ClientConfig {
  readonly connection: PgConnection;
  readonly user: string;
  readonly database: string;
  readonly password: () => Promise<string>;
  readonly ssl: false;
  /** Said, so that pg does not ask its environment. */
  readonly sslnegotiation: "postgres";
  readonly enableChannelBinding: boolean;
}

/** The parts of the module. */
interface Pg {
  readonly Client: new (config: ClientConfig) => PgClient;
  readonly Connection: new (config: { readonly stream: Socket }) => PgConnection;
}

/** How to log in. */
interface LoginSettings {
  readonly user: string;
  readonly database: string;
  readonly password: () => Promise<string>;
  readonly startup: Readonly<Record<string, string>>;
  readonly isChannelBound: boolean;
}

/** Makes a client that is not logged in yet, for a socket that stands. */
export type DriverFactory = (socket: Socket, login: LoginSettings) => PgClient;

let loaded: Promise<DriverFactory> | null = null;

/** Loads pg, once. */
export function loadDriver(): Promise<DriverFactory> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its types leave out what is used here; the tests would show it
  loaded ??= import("pg").then(({ default: pg }) => factoryOf(pg as unknown as Pg));
  return loaded;
}

function factoryOf({ Client, Connection }: Pg): DriverFactory {
  /** A connection whose socket stands already: with TLS, if there is to be any. */
  class DialedConnection extends Connection {
    override splitter: MessageSplitter | null = null;
    readonly #socket: Socket;

    constructor(socket: Socket) {
      super({ stream: socket });
      this.#socket = socket;
    }

    /** Called by the client, which waits for the event `connect`. */
    connect(): void {
      Object.assign(this, { _connecting: true });
      this.#socket.on("error", (error) => this.emit("error", error));
      this.#socket.on("close", () => this.emit("end"));
      this.attachListeners(this.#socket);
      process.nextTick(() => this.emit("connect"));
    }

    /** pg's parser gets what is not rows. For bytes that no server sends it throws, which must not end the process. */
    override attachListeners(socket: Socket): void {
      const others = socket.listeners("data");
      super.attachListeners(socket);
      const listener = socket.listeners("data").find((one) => !others.includes(one)) ?? unknownDriver();
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- EventEmitter knows its listeners as functions only
      socket.off("data", listener as () => void);
      const splitter = new MessageSplitter((bytes) => void Reflect.apply(listener, socket, [bytes]));
      this.splitter = splitter;
      socket.on("data", (chunk) => {
        try {
          // No encoding was set.
          if (typeof chunk !== "string") splitter.push(chunk);
        } catch (error) {
          socket.destroy(error instanceof Error ? error : undefined);
        }
      });
    }
  }

  /** A client that says at login what we want it to. */
  class LoginClient extends Client {
    readonly #login: LoginSettings;

    constructor(socket: Socket, login: LoginSettings) {
      const { user, database, password, isChannelBound } = login;
      const connection = new DialedConnection(socket);
      super({
        connection,
        user,
        database,
        password,
        ssl: false,
        sslnegotiation: "postgres",
        enableChannelBinding: isChannelBound,
      });
      this.#login = login;
    }

    /** Called by pg: what is sent first. */
    getStartupConf(): Record<string, string> {
      const { user, database, startup } = this.#login;
      return { ...startup, user, database };
    }
  }

  return (socket, login) => new LoginClient(socket, login);
}

function unknownDriver(): never {
  throw new PostgresError("MW_ERR_PG_PROTOCOL", "Cannot use pg: it is not the version this package was made for");
}
