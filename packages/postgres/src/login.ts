// One try to get a connection from one server: a socket, TLS, and a client that has logged in. Calls back once, unless it was
// given up before.

import type { Socket } from "node:net";

import type { ConnectSettled, ServerAddress } from "./connect-options.ts";
import { passwordFromFile } from "./credential-files.ts";
import { DialFailure, loginFailureOf } from "./dial-failure.ts";
import { type DialedServer, Dialing, type Encryption, socketPathOf } from "./dial.ts";
import type { DriverFactory, PgClient } from "./driver.ts";
import { PostgresError } from "./errors.ts";

/** A client that is ready for its first operation, and what it was made of. */
export interface LoggedIn {
  readonly client: PgClient;
  readonly socket: Socket;
  readonly server: DialedServer;
  readonly parameters: Map<string, string>;
}

/** What is tried. */
export interface LoginPlan {
  readonly server: ServerAddress;
  readonly encryption: Encryption;
  readonly settled: ConnectSettled;
  readonly makeClient: DriverFactory;
}

type Done = (failure: DialFailure | null, made: LoggedIn | null) => void;

export class Login {
  readonly #plan: LoginPlan;
  readonly #done: Done;
  readonly #dialing: Dialing;
  #socket: Socket | null = null;
  #isOver = false;
  /** Whether the server was reached over TLS: another try without may be worth it, or the other way round. */
  isTls = false;
  /** Whether the server was there. */
  isReached = false;

  /** Begins. `done` is called later, never before this returns. */
  constructor(plan: LoginPlan, done: Done) {
    this.#plan = plan;
    this.#done = done;
    const { server, encryption, settled } = plan;
    const { host, port, address } = server;
    const to = { path: socketPathOf(server), host: address ?? host, port, name: host };
    this.#dialing = new Dialing(to, encryption, settled, (failure, socket, dialed) => {
      if (socket === null || dialed === null) return this.#end(failure, null);
      this.#logIn(socket, dialed);
    });
  }

  /** Closes what there is and calls nobody back. */
  abort(): void {
    this.#isOver = true;
    this.#dialing.abort();
    this.#socket?.destroy();
  }

  #logIn(socket: Socket, server: DialedServer): void {
    if (this.#isOver) return void socket.destroy();
    this.#socket = socket;
    this.isReached = true;
    this.isTls = server.isTls;
    const { settled, makeClient } = this.#plan;
    const { user, database, startup, channelBinding } = settled;
    const isChannelBound = server.isTls && channelBinding !== "disable";
    const parameters = new Map<string, string>();
    const client = makeClient(socket, { user, database, startup, isChannelBound, password: () => this.#password() });
    const { connection } = client;
    connection.on("parameterStatus", ({ parameterName, parameterValue }: ParameterStatus) => {
      parameters.set(parameterName, parameterValue);
      // At login it is ours: this is somebody's SET.
      const isChanged = this.#isOver && parameterName === "client_encoding" && !ENCODINGS.test(parameterValue);
      if (isChanged) socket.destroy(otherEncoding(parameterValue));
    });
    if (channelBinding === "require") this.#requireBinding(client);
    // pg emits what comes after its callback, also if nobody wants to have the client any more.
    client.on("error", () => {});
    client.connect((error) => {
      if (error != null) return this.#end(loginFailureOf(error), null);
      this.#end(null, { client, socket, server, parameters });
    });
  }

  async #password(): Promise<string> {
    const { settled, server } = this.#plan;
    const { password, passfile, user, database } = settled;
    const { host, port } = server;
    let found: unknown;
    try {
      found = typeof password === "function" ? await password() : password;
    } catch (cause) {
      throw new DialFailure("MW_ERR_PG_AUTH", "the function 'password' threw", { cause });
    }
    found ??= await passwordFromFile(passfile, { host, port, user, database });
    if (typeof found === "string" && found !== "") return found;
    const what = "the server asks for a password, and there is none: set 'password', PGPASSWORD or a password file";
    throw new DialFailure("MW_ERR_PG_AUTH", what);
  }

  /** Refuses every other way to log in before anything secret is sent. */
  #requireBinding(client: PgClient): void {
    const { connection } = client;
    let isBound = false;
    const refuse = (): void =>
      this.#end(
        new DialFailure(
          "MW_ERR_PG_AUTH",
          "the server does not offer SCRAM with channel binding, which 'channel_binding' requires",
        ),
        null,
      );
    connection.prependListener(
      "authenticationSASL",
      ({ mechanisms }: { readonly mechanisms: ReadonlyArray<string> }) => {
        isBound = mechanisms.includes("SCRAM-SHA-256-PLUS");
        if (!isBound || !this.isTls) refuse();
      },
    );
    for (const other of ["authenticationCleartextPassword", "authenticationMD5Password"])
      connection.prependListener(other, refuse);
    connection.prependListener("authenticationOk", () => {
      if (!isBound) refuse();
    });
  }

  #end(failure: DialFailure | null, made: LoggedIn | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (failure !== null) this.#socket?.destroy();
    this.#done(failure, made);
  }
}

/** All text is written and read in it. */
const ENCODINGS = /^(?:utf-?8|unicode)$/i;

/** Text would be stored as other text, and nobody would be told. The connection ends instead, as that of pgjdbc does. */
function otherEncoding(encoding: string): PostgresError {
  const what = `'client_encoding' was set to ${encoding}, and text is sent in UTF8`;
  return new PostgresError("MW_ERR_PG_VALUE", `Cannot use the connection: ${what}; leave it as it is`);
}

interface ParameterStatus {
  readonly parameterName: string;
  readonly parameterValue: string;
}
