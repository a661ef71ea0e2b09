// Downloads a file, and goes on where an earlier attempt or an earlier run of the program broke off.

import { badArgument, checkFlag } from "./checks.ts";
import { DownloadRun } from "./download-run.ts";
import { HttpError, type RequestLine } from "./errors.ts";
import { type HeaderPair, headerPairs, type OwnFields } from "./header-pairs.ts";
import { checkDirectory, PartPlace } from "./kept-part.ts";
import type { RequestOptions } from "./options.ts";
import { checkPlace, type MakeError } from "./part-file.ts";
import type { ClientResponse } from "./response.ts";
import type { RetryOption } from "./retries.ts";
import { type Saved, saveOptions, type SaveOptions } from "./save.ts";
import type { ClientSession } from "./session.ts";

/** Options of {@link download}: those of a request, and those of a file. */
export interface DownloadOptions
  extends
    Omit<RequestOptions, "body" | "decompress" | "form" | "json" | "maxBodyBytes" | "raiseForStatus">,
    Omit<SaveOptions, "maxBytes"> {
  /** Whether to go on with what an earlier run has left, and to leave something to go on with. Default: `true`. */
  readonly resume?: boolean | undefined;
  /** The largest file in bytes. Default: `Infinity`, for a file does not have to fit into memory. */
  readonly maxBytes?: number | undefined;
}

const OWN_FIELDS: OwnFields = { defaults: { "accept-encoding": "identity" }, reserved: ["range", "if-range"] };

/**
 * Downloads a file. It is written as `NAME.part` and gets its name when it is complete, has the size that was announced
 * and the `checksum`, and is on the disk. Nothing that was there is replaced unless `overwrite` is set.
 *
 * What breaks off is gone on with: by `retry` (that of the session, if the options have none) within its number of
 * attempts, and by the next call for the same URL and place. `NAME.part.json` remembers which version of the file it is:
 * only a strong `ETag`, or a `Last-Modified` that is sure, is relied on, and only an answer that has exactly the rest of
 * that version is added. In all other cases the file is fetched from its start, and nothing is left when that fails.
 *
 * Of two downloads to the same place at once one fails. After a power cut only a `checksum` can tell that the disk has kept
 * all it said it had.
 *
 * The file is asked for uncompressed, for ranges of a compressed form cannot be put together. A server that compresses it
 * all the same gets its way: the file is unpacked, and cannot be resumed. Any other status than 200 is a `StatusError`.
 *
 * Cancellation: safe. The connection is closed, and what was received can be gone on with.
 *
 * @throws {@link HttpError} `MW_ERR_HTTP_FILE_EXISTS`, `MW_ERR_HTTP_FILE`, `MW_ERR_HTTP_CHECKSUM`
 * @throws {@link StatusError} `MW_ERR_HTTP_STATUS`
 * @throws {@link TooLargeError} `MW_ERR_HTTP_BODY_TOO_LARGE`
 * @throws what `session.get` and `response.stream` throw
 *
 * @example
 * ```ts
 * import { mkdtemp, readFile, rm } from "node:fs/promises";
 * import { createServer } from "node:http";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 * import { ClientSession, download } from "@meanwhile/http";
 *
 * const server = createServer((_request, response) => response.end("all of it"));
 * await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
 * const { port } = server.address() as { port: number };
 * const directory = await mkdtemp(join(tmpdir(), "download-"));
 * {
 *   await using session = new ClientSession({ retry: 3 });
 *   const { path, bytes } = await download(session, `http://127.0.0.1:${port}/file`, join(directory, "file"));
 *   console.log(bytes, await readFile(path, "utf8")); //> 9 all of it
 * }
 * await rm(directory, { recursive: true });
 * server.close();
 * ```
 */
export async function download(
  session: Pick<ClientSession, "get">,
  url: string | URL,
  path: string,
  options: DownloadOptions = {},
): Promise<Saved> {
  const line: RequestLine = { method: "GET", url: String(url) };
  if (typeof options !== "object" || options === null) throw badArgument(line, "options", options, "an object");
  const { onProgress, checksum, overwrite, fsync, maxBytes = Infinity, resume = true, ...request } = options;
  checkFlag(line, "resume", resume);
  const save = saveOptions(path, { onProgress, checksum, overwrite, fsync, maxBytes }, line);
  const headers = headerPairs(request.headers, OWN_FIELDS, line);
  const makeError: MakeError = (code, what, cause) => new HttpError(code, line, what, cause);
  await checkDirectory(path, makeError);
  await checkPlace(path, save.overwrite, makeError);
  const place = resume ? new PartPlace(path) : null;
  const ask = (fields: ReadonlyArray<HeaderPair>, retry: RetryOption | undefined): Promise<ClientResponse> => {
    const all = { ...request, headers: [...headers, ...fields], retry, maxBodyBytes: maxBytes, raiseForStatus: false };
    return session.get(url, all);
  };
  return new DownloadRun({ ask, save, place, makeError, retry: request.retry }).toEnd();
}
