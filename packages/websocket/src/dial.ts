// Makes the connection that a handshake goes over: to the server or its proxy, through that, and secured.

import { lookup } from "node:dns";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

import { suspend, type WaitTarget } from "meanwhile/lowlevel";

import type { ConnectSettled } from "./connect-options.ts";
import { DialFailure, hungUp, insecure, proxyFailed, unreachable } from "./dial-failure.ts";
import { Dialing } from "./dialing.ts";
import { ConnectError, WebSocketError } from "./errors.ts";
import type { Proxy } from "./proxies.ts";
import { redactUrl } from "./redact.ts";
import { inRootContext } from "./root-context.ts";
import { openSocks } from "./socks.ts";
import { addressOf, type Target } from "./target.ts";
import { openTunnel } from "./tunnel.ts";

/** Where to, and how. */
interface DialPlan {
  readonly target: Target;
  readonly settled: ConnectSettled;
  readonly proxy: Proxy | null;
}

/**
 * Makes a connection.
 *
 * Cancellation: safe. What was begun is taken back.
 *
 * @throws {@link ConnectError}
 */
export function dial(target: Target, settled: ConnectSettled): Promise<Socket> {
  const plan = { target, settled, proxy: settled.socketPath === undefined ? settled.proxyFor(target) : null };
  const waitTarget: WaitTarget = { describe: () => `a connection to ${redactUrl(target.url)}`, foreign: true };
  return suspend<Socket>((waiter) => {
    const dialing = new Dialing(waiter, (failure) => {
      const { code, message, cause, proxyStatus, isLasting } = failure;
      if (code === "MW_ERR_WS_INVALID_ARGUMENT")
        return new WebSocketError(code, `Cannot connect: ${message}`, { cause });
      return new ConnectError(code, target.url, message, { cause, proxyStatus, isLasting });
    });
    // A socket that outlives the call must not keep its scope.
    inRootContext(() => begin(dialing, plan));
    return () => dialing.giveUp();
  }, waitTarget);
}

function begin(dialing: Dialing, plan: DialPlan): void {
  const { target, settled, proxy } = plan;
  const explain = (error: Error): DialFailure =>
    proxy === null ? unreachable(error) : proxyFailed(proxy.name, unreachable(error));
  const { socketPath } = settled;
  const { host, port } = proxy ?? addressOf(target);
  try {
    const socket = socketPath === undefined ? connectTcp({ host, port }) : connectTcp({ path: socketPath });
    dialing.own(socket, explain, () => hungUp(proxy?.name));
    socket.once("connect", () => {
      socket.setNoDelay();
      if (proxy === null) secure(dialing, socket, plan);
      else goThrough(dialing, socket, proxy, plan);
    });
  } catch (error) {
    dialing.fail(explain(asError(error)));
  }
}

function goThrough(dialing: Dialing, socket: Socket, proxy: Proxy, plan: DialPlan): void {
  const { host, port } = addressOf(plan.target);
  const then = (tunnel: Socket): void => secure(dialing, tunnel, plan);
  if (proxy.kind.startsWith("socks")) {
    const ask = (asked: string): void => openSocks(dialing, socket, { proxy, host: asked, port }, () => then(socket));
    return looksUpItself(proxy) || isIP(host) !== 0 ? ask(host) : lookUp(dialing, host, ask);
  }
  const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const tunnel = (way: Socket): void => openTunnel(dialing, way, { proxy, authority }, () => then(way));
  if (proxy.kind === "http") return tunnel(socket);
  // The authorities that vouch for the server vouch for the proxy too.
  const { ca } = plan.settled.tls;
  wrap(dialing, socket, { host: proxy.host, options: ca === undefined ? {} : { ca } }, tunnel, proxy);
}

/** As curl has it: without the letter at the end, this side looks up the host. */
function looksUpItself({ kind }: Proxy): boolean {
  return kind === "socks5h" || kind === "socks4a";
}

function lookUp(dialing: Dialing, host: string, then: (address: string) => void): void {
  lookup(host, (error, address) => {
    if (error !== null) dialing.fail(unreachable(error));
    else if (!dialing.isOver) then(address);
  });
}

function secure(dialing: Dialing, socket: Socket, { target, settled }: DialPlan): void {
  if (!target.isSecure) return dialing.succeed(socket);
  wrap(
    dialing,
    socket,
    { host: addressOf(target).host, options: settled.tls },
    (secured) => dialing.succeed(secured),
    null,
  );
}

/** Secures a connection with TLS. */
function wrap(
  dialing: Dialing,
  socket: Socket,
  { host, options }: { host: string; options: ConnectSettled["tls"] },
  then: (secured: Socket) => void,
  proxy: Proxy | null,
): void {
  if (dialing.isOver) return;
  const explain = (error: Error) => (proxy === null ? insecure(error) : proxyFailed(proxy.name, insecure(error)));
  try {
    const servername = isIP(host) === 0 ? host : "";
    const secured = connectTls({ servername, ALPNProtocols: ["http/1.1"], ...options, host, socket });
    dialing.own(secured, explain, () => hungUp(proxy?.name));
    secured.once("secureConnect", () => then(secured));
  } catch (cause) {
    const what = "'tls' has a certificate, a key or another option that cannot be used, see the cause";
    dialing.fail(new DialFailure("MW_ERR_WS_INVALID_ARGUMENT", what, { cause }));
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new AggregateError([error]);
}
