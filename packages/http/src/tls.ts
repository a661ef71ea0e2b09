// How secure connections are made: what the option `tls` says, made into a context once, and the sessions that can be
// resumed.

import { createHash } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { connect, createSecureContext, type SecureContext, type SecureVersion, type TLSSocket } from "node:tls";

import { DialFailure } from "./dial-failure.ts";
import type { Secret } from "./secret.ts";

type Pem = string | Uint8Array;

/** How servers prove who they are, and how this client does. */
export interface TlsOptions {
  /** The certificates to trust, in PEM, instead of those that Node knows. */
  readonly ca?: Pem | ReadonlyArray<Pem> | undefined;
  /** The certificate of this client, in PEM, with those between it and its root. Needs `key`. */
  readonly cert?: Pem | ReadonlyArray<Pem> | undefined;
  /** The private key of `cert`, in PEM. */
  readonly key?: Pem | Secret | undefined;
  /** Certificate and key together, in PKCS #12, instead of `cert` and `key`. */
  readonly pfx?: Uint8Array | undefined;
  /** What `key` or `pfx` is locked with. */
  readonly passphrase?: string | Secret | undefined;
  /**
   * Whether a server must prove who it is. With `false` anybody can read along, and a process warning
   * `MW_WARN_HTTP_INSECURE_TLS` says so. Default: `true`, unless the environment variable `NODE_TLS_REJECT_UNAUTHORIZED`
   * is 0, about which it warns too.
   */
  readonly rejectUnauthorized?: boolean | undefined;
  /** The name that is asked for, and that the certificate must have. Default: the host of the URL. */
  readonly servername?: string | undefined;
  /** The oldest version to speak. Default: `TLSv1.2`. */
  readonly minVersion?: SecureVersion | undefined;
  /** The newest version to speak. Default: `TLSv1.3`. */
  readonly maxVersion?: SecureVersion | undefined;
  /** The ciphers to offer, in the form of OpenSSL. Default: those of Node. */
  readonly ciphers?: string | undefined;
  /**
   * SHA-256 of the certificates a server may have, in hexadecimal, with or without colons. Checked besides everything
   * else, before anything is sent; `MW_ERR_HTTP_TLS_FINGERPRINT` if it is another one.
   */
  readonly fingerprint256?: string | ReadonlyArray<string> | undefined;
}

/** {@link TlsOptions}, checked. */
export interface TlsSettings {
  /** Null for the context of Node. */
  readonly context: SecureContext | null;
  readonly rejectUnauthorized: boolean | undefined;
  readonly servername: string | undefined;
  /** Without colons, in lower case. Empty if every certificate will do. */
  readonly fingerprints: ReadonlyArray<string>;
  readonly protocols: ReadonlyArray<string>;
}

const MOST_SESSIONS = 100;
/** A TLS record is no larger. */
const STREAM_OPTIONS = { highWaterMark: 16_384 };

/** Makes secure connections of plain ones. */
export class TlsLayer {
  readonly #settings: TlsSettings;
  // The one made last comes last.
  readonly #sessions = new Map<string, Buffer>();
  readonly #warnInsecure: () => void;
  #context: SecureContext | null;

  constructor(settings: TlsSettings, warnInsecure: () => void) {
    this.#settings = settings;
    this.#context = settings.context;
    this.#warnInsecure = warnInsecure;
  }

  /** Begins the handshake. `done` is called when the server has proved who it is; errors come from the socket. */
  wrap(
    socket: Socket,
    { hostname, port, isHttp2 }: { readonly hostname: string; readonly port: number; readonly isHttp2: boolean },
    done: (failure: DialFailure | null) => void,
  ): TLSSocket {
    const { servername = isIP(hostname) === 0 ? hostname : undefined, fingerprints, protocols } = this.#settings;
    const rejectUnauthorized = this.#settings.rejectUnauthorized ?? process.env["NODE_TLS_REJECT_UNAUTHORIZED"] !== "0";
    if (!rejectUnauthorized) this.#warnInsecure();
    this.#context ??= createSecureContext();
    const name = `${hostname}:${port}`;
    // A resumed session brings no certificate that could be compared.
    const session = fingerprints.length === 0 ? this.#sessions.get(name) : undefined;
    const secure = connect({
      socket,
      ...STREAM_OPTIONS,
      host: hostname,
      secureContext: this.#context,
      rejectUnauthorized,
      ALPNProtocols: isHttp2 ? ["h2", ...protocols] : [...protocols],
      ...(servername === undefined ? {} : { servername }),
      ...(session === undefined ? {} : { session }),
    });
    secure.on("session", (made: Buffer) => this.#remember(name, made));
    secure.once("secureConnect", () => done(this.#checkFingerprint(secure)));
    return secure;
  }

  #checkFingerprint(socket: TLSSocket): DialFailure | null {
    const { fingerprints } = this.#settings;
    if (fingerprints.length === 0) return null;
    const { raw } = socket.getPeerCertificate();
    const own = raw === undefined ? "none" : createHash("sha256").update(raw).digest("hex");
    if (fingerprints.includes(own)) return null;
    const what = `the server has another certificate than 'tls.fingerprint256' allows: ${own}`;
    return new DialFailure("MW_ERR_HTTP_TLS_FINGERPRINT", what);
  }

  #remember(name: string, session: Buffer): void {
    this.#sessions.delete(name);
    this.#sessions.set(name, session);
    if (this.#sessions.size <= MOST_SESSIONS) return;
    for (const [oldest] of this.#sessions) {
      this.#sessions.delete(oldest);
      return;
    }
  }
}
