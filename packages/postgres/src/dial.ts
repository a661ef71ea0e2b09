// Makes the socket of a connection: TCP or a Unix socket, then TLS if there is to be any. Calls back once, unless it was
// given up before.

import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";

import type { ConnectSettled, ServerAddress } from "./connect-options.ts";
import { DialFailure, dialFailureOf, tlsFailureOf } from "./dial-failure.ts";

/** Whether TLS is spoken: not at all, if the server wants to, or at any rate. */
export type Encryption = "plain" | "offered" | "required";

/** Where a socket has led, and how: what a request to cancel has to go to as well. */
export interface DialedServer {
  /** For `net.connect`. */
  readonly path: string | undefined;
  readonly host: string;
  readonly port: number;
  /** The name of the server, for its certificate. */
  readonly name: string;
  readonly isTls: boolean;
}

/** Called once with a socket that can be used, or with why there is none. */
export type Dialed = (failure: DialFailure | null, socket: Socket | TLSSocket | null, to: DialedServer | null) => void;

/** What is needed of the settings. */
export type DialSettings = Pick<ConnectSettled, "tls" | "directTls" | "keepAliveMs">;

/** Length and code of the message SSLRequest. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const YES = 0x53;
const NO = 0x4e;

/** The file of the Unix socket in a directory; undefined for any other host. */
export function socketPathOf({ host, port }: ServerAddress): string | undefined {
  if (host.startsWith("@")) return `\0${host.slice(1)}/.s.PGSQL.${port}`;
  return host.startsWith("/") || /^[a-z]:\\/i.test(host) ? `${host}/.s.PGSQL.${port}` : undefined;
}

/** A socket while it is being made, so that it can be given up at any moment. */
export class Dialing {
  readonly #settings: DialSettings;
  readonly #done: Dialed;
  #socket: Socket;
  #isOver = false;
  readonly #to: Omit<DialedServer, "isTls">;
  readonly #onClose = (): void =>
    this.#fail(new DialFailure("MW_ERR_PG_CONNECT", "the server closed the connection while it was being made"));

  /** Begins. `done` is called later, never before this returns. */
  constructor(to: Omit<DialedServer, "isTls">, encryption: Encryption, settings: DialSettings, done: Dialed) {
    this.#settings = settings;
    this.#done = done;
    this.#to = to;
    const { path, host, port } = to;
    const { keepAliveMs } = settings;
    const options = { noDelay: true, keepAlive: keepAliveMs > 0, keepAliveInitialDelay: keepAliveMs };
    this.#socket = connect(path === undefined ? { host, port, ...options } : { path });
    this.#watch(this.#socket, dialFailureOf);
    this.#socket.once("connect", () => this.#connected(encryption));
  }

  /** Closes what there is and calls nobody back. */
  abort(): void {
    this.#isOver = true;
    this.#socket.destroy();
  }

  #connected(encryption: Encryption): void {
    // TLS over a Unix socket is nothing that servers speak.
    if (encryption === "plain" || this.#to.path !== undefined) return this.#succeed(false);
    if (this.#settings.directTls) return this.#secure(["postgresql"]);
    this.#socket.write(SSL_REQUEST);
    this.#socket.once("readable", () => this.#answered(encryption));
  }

  /** One byte says whether the server speaks TLS. What comes right behind it was put there by somebody else. */
  #answered(encryption: Encryption): void {
    if (this.#isOver) return;
    const answer: Buffer | null = this.#socket.read();
    if (answer === null) return void this.#socket.once("readable", () => this.#answered(encryption));
    if (answer.length > 1)
      return this.#fail(new DialFailure("MW_ERR_PG_PROTOCOL", "the server said more than whether it speaks TLS"));
    if (answer[0] === YES) return this.#secure([]);
    if (answer[0] !== NO)
      return this.#fail(new DialFailure("MW_ERR_PG_PROTOCOL", "what answers is no PostgreSQL server"));
    if (encryption === "offered") return this.#succeed(false);
    this.#fail(
      new DialFailure(
        "MW_ERR_PG_TLS",
        'the server does not speak TLS; set \'ssl\' to "prefer" or "disable" if that is right',
      ),
    );
  }

  #secure(protocols: string[]): void {
    const { name } = this.#to;
    const options: ConnectionOptions = {
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ...this.#settings.tls,
      socket: this.#socket,
      host: name,
      ...(protocols.length === 0 ? {} : { ALPNProtocols: protocols }),
    };
    try {
      const secure = connectTls(options);
      this.#socket.off("close", this.#onClose);
      this.#watch(secure, tlsFailureOf);
      this.#socket = secure;
      secure.once("secureConnect", () => this.#secured(secure, protocols));
    } catch (error) {
      this.#fail(tlsFailureOf(error));
    }
  }

  #secured(secure: TLSSocket, protocols: string[]): void {
    const isSpoken = protocols.length === 0 || secure.alpnProtocol === "postgresql";
    if (isSpoken) return this.#succeed(true);
    this.#fail(new DialFailure("MW_ERR_PG_TLS", "the server does not begin with TLS; leave out 'directTls'"));
  }

  #watch(socket: Socket, failureOf: (error: unknown) => DialFailure): void {
    socket.on("error", (error) => this.#fail(failureOf(error)));
    socket.on("close", this.#onClose);
  }

  #succeed(isTls: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const socket = this.#socket;
    // What a client will ask for again goes to this server, not to another one of the same name.
    const host = this.#to.path === undefined ? (socket.remoteAddress ?? this.#to.host) : this.#to.host;
    socket.off("close", this.#onClose);
    this.#done(null, socket, { ...this.#to, host, isTls });
  }

  #fail(failure: DialFailure): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.destroy();
    this.#done(failure, null, null);
  }
}
