// Logging in with what ~/.netrc says about a host.

import { homedir } from "node:os";
import { join } from "node:path";

import { cancellable } from "meanwhile";

import { callOf, loginRule } from "./auth-rules.ts";
import { basicAuth } from "./auth.ts";
import { badArgument } from "./checks.ts";
import { HttpError } from "./errors.ts";
import type { Middleware } from "./middleware.ts";
import { parseNetrc } from "./netrc-file.ts";
import { readPrivateFile, Unusable } from "./private-file.ts";

const RULES = { maxBytes: 1024 * 1024, ownerOnly: true, followsLinks: true };

/**
 * Logs in, as `basicAuth` does, with the name and password that a netrc file has for the host. The file is read when a
 * request needs it first; where there is none, nothing is sent. A host to which a redirect leads gets nothing either.
 *
 * A request throws {@link HttpError} `MW_ERR_HTTP_CREDENTIALS_FILE` if others may read the file, or it cannot be read.
 *
 * @param path - default: `.netrc` in the home directory
 * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT`
 * @see {@link https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html}
 *
 * @example
 * ```ts
 * import { mkdtemp, rm, writeFile } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { ClientSession, type Middleware, netrcAuth } from "@meanwhile/http";
 *
 * const directory = await mkdtemp(join(tmpdir(), "netrc-"));
 * const path = join(directory, "netrc");
 * await writeFile(path, "machine example.test login me password secret", { mode: 0o600 });
 * const echo: Middleware = (request) => request.respond({ body: request.headers.get("authorization") ?? "nobody" });
 * {
 *   await using session = new ClientSession({ middlewares: [netrcAuth(path), echo] });
 *   console.log(await (await session.get("http://example.test/")).text()); //> Basic bWU6c2VjcmV0
 *   console.log(await (await session.get("http://other.test/")).text()); //> nobody
 * }
 * await rm(directory, { recursive: true });
 * ```
 */
export function netrcAuth(path?: string): Middleware {
  const call = callOf("netrcAuth");
  if (path !== undefined && (typeof path !== "string" || path === "")) {
    throw badArgument(call, "path", path, "the path of a file");
  }
  const mayLogIn = loginRule({}, call);
  const file = path ?? join(homedir(), ".netrc");
  let reading: Promise<ReadonlyMap<string, Middleware>> | null = null;
  return async (request, next) => {
    if (!mayLogIn(request)) return next(request);
    reading ??= loginsOf(file);
    let logins: ReadonlyMap<string, Middleware>;
    try {
      logins = await cancellable(reading);
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      reading = null; // the next request finds it mended
      const what = `its credentials cannot be read from ${file}: ${error.message}`;
      const line = { method: request.method, url: request.url.href };
      throw new HttpError("MW_ERR_HTTP_CREDENTIALS_FILE", line, what, { cause: error.cause });
    }
    const login = logins.get(request.url.hostname) ?? logins.get("");
    return login === undefined ? next(request) : login(request, next);
  };
}

/** A way to log in for each host; that of the default has an empty name. */
async function loginsOf(file: string): Promise<ReadonlyMap<string, Middleware>> {
  const text = await readPrivateFile(file, RULES);
  const logins = new Map<string, Middleware>();
  for (const { machine, login, password } of parseNetrc(text ?? "")) {
    if (logins.has(machine) || login === undefined) continue;
    try {
      logins.set(machine, basicAuth(login, password ?? ""));
    } catch (cause) {
      throw new Unusable("it has a login or password that cannot be sent", { cause });
    }
  }
  return logins;
}
