// A file as the body of a request.

import { fileURLToPath } from "node:url";

import { badArgument } from "./checks.ts";
import type { RequestLine } from "./errors.ts";

const NO_REQUEST: RequestLine = { method: "send", url: "a file" };

/** A file to be sent; made by {@link fileBody}. */
export class FileBody {
  /** Where it is; relative to the working directory of the process. */
  readonly path: string;

  /** @internal */
  constructor(path: string) {
    this.path = path;
  }
}

/**
 * The content of a file as a `body`. It is read as fast as the server takes it, with `Content-Length`, and once more where
 * the request is sent once more: for a retry, a redirect, a challenge. Its size is taken before a connection is asked for;
 * a file that cannot be read, is no regular file, or changes its size until it has been sent, is an `HttpError` with
 * `MW_ERR_HTTP_REQUEST_BODY`.
 *
 * @param path - a path, or a URL with `file:`
 * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT` if it is neither
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { ClientSession, fileBody } from "@meanwhile/http";
 *
 * const server = createServer((request, response) => response.end(`${request.headers["content-length"]} bytes`));
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as { port: number };
 * {
 *   await using session = new ClientSession({ baseUrl: `http://127.0.0.1:${port}` });
 *   const response = await session.put("/backup", { body: fileBody(process.execPath) });
 *   console.log(/^\d+ bytes$/.test(await response.text())); //> true
 * }
 * server.close();
 * ```
 */
export function fileBody(path: string | URL): FileBody {
  return new FileBody(checkPath(path, "path", NO_REQUEST));
}

/** The path of a file to be sent. */
export function checkPath(path: unknown, name: string, request: RequestLine): string {
  if (typeof path === "string" && path !== "" && !path.includes("\0")) return path;
  if (path instanceof URL && path.protocol === "file:") {
    try {
      return fileURLToPath(path);
    } catch {
      // One with a host or a coded slash names no file.
    }
  }
  throw badArgument(request, name, path, "the path of a file, or a URL with file:");
}
