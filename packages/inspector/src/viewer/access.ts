// Who may ask the viewer. Everything here refuses unless it is sure: a page of another site, another user of the machine and
// a name server that lies must get nothing.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

import { RefusedRequest } from "./refusal.ts";

/** 128 bits. */
const TOKEN_BYTES = 16;

/** A new secret, which nobody can guess: 22 letters, digits, `-` and `_`. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

/**
 * Checks what every request has to fulfil, with the token or without.
 *
 * @throws {@link RefusedRequest} unless it comes from the page itself, or was typed into the browser
 */
export function checkOrigin(request: IncomingMessage, port: number): void {
  checkHost(request, port);
  // A browser says where a request comes from; a page of another site cannot prevent it.
  const site = headerOf(request, "sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") {
    throw new RefusedRequest(403, "Cannot answer a page of another site; open the address that was printed");
  }
  const origin = headerOf(request, "origin");
  if (origin !== null && !allowedHosts(port).some((host) => origin === `http://${host}`)) {
    throw new RefusedRequest(403, "Cannot answer a page of another site; open the address that was printed");
  }
}

/**
 * Checks that a request only looks, or asks for the one thing that a viewer may do if it was allowed.
 *
 * @throws {@link RefusedRequest} for anything else
 */
export function checkMethod({ method, url = "" }: IncomingMessage, mayCancel: boolean): void {
  const wantsCancel = url.split("?")[0] === "/v1/cancel";
  if (method === "POST" && wantsCancel && mayCancel) return;
  if (wantsCancel && !mayCancel) {
    throw new RefusedRequest(403, "Cannot cancel a task: this viewer only looks; start it with --allow cancel");
  }
  if ((method === "GET" || method === "HEAD") && !wantsCancel) return;
  throw new RefusedRequest(405, `Cannot ${method} this; send ${wantsCancel ? "POST" : "GET"}`);
}

/**
 * Checks the token of a request for data.
 *
 * @throws {@link RefusedRequest} unless it is in the header `authorization`
 */
export function checkToken(request: IncomingMessage, token: string): void {
  const [, given = ""] = /^Bearer ([\w-]{1,64})$/u.exec(headerOf(request, "authorization") ?? "") ?? [];
  if (isSame(given, token)) return;
  throw new RefusedRequest(
    401,
    "Cannot answer without the token; open the address that was printed, with what stands after #",
  );
}

// Exact, so that a name that was made to point to 127.0.0.1 is none of them.
function checkHost(request: IncomingMessage, port: number): void {
  const host = headerOf(request, "host");
  if (host !== null && allowedHosts(port).includes(host)) return;
  throw new RefusedRequest(403, `Cannot answer for another host; open http://127.0.0.1:${port}/`);
}

function allowedHosts(port: number): string[] {
  return [`127.0.0.1:${port}`, `[::1]:${port}`, `localhost:${port}`];
}

/**
 * The only value of a header; null if it is not there.
 *
 * @throws {@link RefusedRequest} if it is there twice: others might look at the other one
 */
function headerOf({ rawHeaders }: IncomingMessage, name: string): string | null {
  const values = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
  if (values.length > 1) throw new RefusedRequest(400, `Cannot use two headers "${name}"; send one`);
  return values[0] ?? null;
}

/** In a time that tells nothing of how much of it was right. */
function isSame(given: string, wanted: string): boolean {
  return timingSafeEqual(digestOf(given), digestOf(wanted));
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
