// What a client has asked for: what hooks and handlers of a server decide by. Its parts are made when they are asked for, and
// each time anew, so that a connection that is open for long keeps little.

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { PeerCertificate, TLSSocket } from "node:tls";

/** The request a client has opened its connection with. */
export class ServerRequest {
  /** The address of the client, or of the proxy before the server; undefined on a Unix socket. */
  readonly remoteAddress: string | undefined;
  /** Whether it came over TLS. */
  readonly isSecure: boolean;
  /** The certificate the client has shown; undefined if it has shown none. */
  readonly clientCertificate: PeerCertificate | undefined;
  readonly #target: string;
  readonly #fields: IncomingHttpHeaders;

  /** @internal */
  constructor({ socket, url = "/", headers }: IncomingMessage) {
    this.#target = url;
    this.#fields = headers;
    this.remoteAddress = socket.remoteAddress;
    this.isSecure = isTls(socket);
    this.clientCertificate = isTls(socket) ? shownBy(socket) : undefined;
  }

  /** What was asked for, with path and query; the host is what the client says it is. */
  get url(): URL {
    return urlOf(this.#target, this.isSecure, this.#fields.host);
  }

  /** The headers of the request. */
  get headers(): Headers {
    const headers = new Headers();
    for (const [name, value] of Object.entries(this.#fields)) {
      for (const one of [value ?? []].flat()) headers.append(name, one);
    }
    return headers;
  }

  /** Keeps what may be secret out of dumps. */
  toJSON(): object {
    return { path: this.url.pathname, remoteAddress: this.remoteAddress, isSecure: this.isSecure };
  }
}

function isTls(socket: object): socket is TLSSocket {
  return "encrypted" in socket && socket.encrypted === true;
}

/** Node gives an empty object where there is none. */
function shownBy(socket: TLSSocket): PeerCertificate | undefined {
  const certificate = socket.getPeerCertificate();
  return typeof certificate === "object" && Object.keys(certificate).length > 0 ? certificate : undefined;
}

/** A path with two slashes at its start is a path, and no host. A host that is none is left out. */
function urlOf(target: string, isSecure: boolean, host = "localhost"): URL {
  const scheme = isSecure ? "wss" : "ws";
  const path = target.startsWith("/") ? target : pathOf(target);
  const plainHost = /[/?#@\\]/.test(host) ? "localhost" : host;
  return URL.parse(`${scheme}://${plainHost}${path}`) ?? new URL(`${scheme}://localhost${path}`);
}

function pathOf(target: string): string {
  const url = URL.parse(target);
  return url?.pathname.startsWith("/") === true ? `${url.pathname}${url.search}` : "/";
}
