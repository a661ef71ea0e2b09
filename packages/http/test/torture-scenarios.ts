// What a session is used for, each as something that can be cancelled at any moment.

import { createHash } from "node:crypto";
import { join } from "node:path";

import {
  type ClientSession,
  CookieJar,
  digestAuth,
  download,
  fileBody,
  httpCache,
  HttpError,
  type Middleware,
  serverSentEvents,
  type SessionOptions,
} from "@meanwhile/http";
import { checkpoint, fixed, gather, shield, sleep } from "meanwhile";

import { CA } from "./certificates.ts";
import { FILE } from "./torture-server.ts";

/** What one run of a scenario has. */
export interface World {
  readonly session: ClientSession;
  /** The base of all URLs of this run: what the server does first, it does again for the next run. */
  readonly base: string;
  /** Empty, and of this run alone. */
  readonly directory: string;
}

/** Something a session is used for. */
export interface UseCase {
  readonly name: string;
  readonly run: (world: World) => Promise<unknown>;
  readonly options?: (() => SessionOptions) | undefined;
  /** What the requests go through. Default: nothing. */
  readonly proxy?: "http" | "socks5h" | undefined;
  readonly isSecure?: boolean | undefined;
  /** What may be in the directory after it, whatever has happened. Default: nothing. */
  readonly mayLeave?: ReadonlyArray<string> | undefined;
}

const waiting: Middleware = async (request, next) => {
  await sleep(1);
  const response = await next(request.with({ headers: { "x-more": "1" } }));
  try {
    await sleep(1);
    return response;
  } catch (error) {
    await shield(() => response.close());
    throw error;
  }
};

async function textOf(session: ClientSession, url: string): Promise<string> {
  return await (await session.get(url)).text();
}

async function* pieces(): AsyncGenerator<string> {
  for (const piece of ["one", "two", "three"]) {
    await checkpoint();
    yield piece;
  }
}

const RETRY = { attempts: 3, backoff: fixed(1), budget: false } as const;

export const USE_CASES: ReadonlyArray<UseCase> = [
  {
    name: "a request after another",
    run: async ({ session, base }) => {
      await textOf(session, `${base}/echo`);
      await using response = await session.post(`${base}/echo`, { json: { a: 1 } });
      return response.status;
    },
  },
  {
    name: "more requests than slots",
    options: () => ({ limit: 1 }),
    run: ({ session, base }) => gather([1, 2, 3].map((number) => () => textOf(session, `${base}/echo/${number}`))),
  },
  {
    name: "middlewares that wait",
    options: () => ({ middlewares: [waiting, waiting] }),
    run: ({ session, base }) => textOf(session, `${base}/moved`),
  },
  {
    name: "retries",
    options: () => ({ retry: RETRY }),
    run: ({ session, base }) =>
      gather([() => textOf(session, `${base}/flaky`), () => textOf(session, `${base}/broken`)]),
  },
  {
    name: "cookies, kept in a file",
    options: () => ({ cookies: true }),
    mayLeave: ["cookies.json"],
    run: async ({ session, base, directory }) => {
      const jar = new CookieJar();
      await textOf(session, `${base}/moved`);
      jar.set({ name: "a", value: "b" }, base);
      await jar.save(join(directory, "cookies.json"));
      return textOf(session, `${base}/echo`);
    },
  },
  {
    name: "digest authentication",
    options: () => ({ auth: digestAuth("user", "password") }),
    run: async ({ session, base }) => {
      await (await session.post(`${base}/guarded/1`, { body: "again" })).text();
      return textOf(session, `${base}/guarded/2`);
    },
  },
  {
    name: "an upload of several parts, one of them a file",
    run: async ({ session, base }) => {
      const multipart = { field: "value", file: fileBody(import.meta.filename) };
      return (await session.post(`${base}/echo`, { multipart })).text();
    },
  },
  {
    name: "an upload that is made meanwhile",
    run: async ({ session, base }) => (await session.put(`${base}/echo`, { body: pieces(), compress: "gzip" })).text(),
  },
  {
    name: "a packed body",
    run: async ({ session, base }) => (await (await session.get(`${base}/packed`)).bytes()).length,
  },
  {
    name: "a body that is saved",
    mayLeave: ["saved"],
    run: async ({ session, base, directory }) =>
      (await session.get(`${base}/packed`)).saveTo(join(directory, "saved"), { fsync: false }),
  },
  {
    name: "a download that is gone on with",
    mayLeave: ["saved", "saved.part", "saved.part.json"],
    run: ({ session, base, directory }) =>
      download(session, `${base}/file`, join(directory, "saved"), {
        retry: RETRY,
        checksum: { sha256: createHash("sha256").update(FILE).digest("hex") },
      }),
  },
  {
    name: "lines, of which not all are read",
    run: async ({ session, base }) => {
      for await (const line of (await session.get(`${base}/lines/1`)).lines()) if (line === "two") break;
      return Array.fromAsync((await session.get(`${base}/lines/2`)).lines());
    },
  },
  {
    name: "events of a server that is come back to",
    run: async ({ session, base }) => {
      const ids: string[] = [];
      for await (const { id } of serverSentEvents(session, `${base}/events`, { backoff: fixed(5) })) {
        ids.push(id);
        if (ids.length === 2) break;
      }
      return ids;
    },
  },
  {
    name: "a cache that two ask at once",
    options: () => ({ middlewares: [httpCache()] }),
    run: async ({ session, base }) => {
      const url = `${base}/cached`;
      await gather([() => textOf(session, url), () => textOf(session, url)]);
      return textOf(session, url);
    },
  },
  {
    name: "the standard fetch",
    run: async ({ session, base }) => {
      const response = await session.fetch(`${base}/moved`, { method: "POST", body: "text" });
      return response.text();
    },
  },
  { name: "an HTTP proxy", proxy: "http", run: ({ session, base }) => textOf(session, `${base}/echo`) },
  {
    name: "TLS through a tunnel",
    proxy: "http",
    isSecure: true,
    options: () => ({ tls: { ca: CA } }),
    run: ({ session, base }) => textOf(session, `${base}/echo`),
  },
  {
    name: "TLS through a SOCKS proxy",
    proxy: "socks5h",
    isSecure: true,
    options: () => ({ tls: { ca: CA } }),
    run: ({ session, base }) => textOf(session, `${base}/echo`),
  },
  {
    name: "TLS, with a body that nobody reads",
    isSecure: true,
    options: () => ({ tls: { ca: CA } }),
    run: async ({ session, base }) => {
      await using response = await session.get(`${base}/packed`);
      return response.status;
    },
  },
  {
    name: "a name that is looked up",
    options: () => ({ dns: { lookup: () => Promise.resolve("127.0.0.1") } }),
    run: ({ session, base }) => textOf(session, `${base.replace("127.0.0.1", "some.test")}/echo`),
  },
  {
    name: "a session that is closed at once",
    run: ({ session, base }) => gather([() => textOf(session, `${base}/echo`), () => session.close()]),
  },
  {
    name: "a session that is closed while it is used",
    options: () => ({ limit: 2 }),
    run: async ({ session, base }) => {
      await textOf(session, `${base}/echo`);
      const asking = [1, 2, 3].map((number) => async () => {
        try {
          return await textOf(session, `${base}/packed/${number}`);
        } catch (error) {
          if (error instanceof HttpError) return error.code;
          throw error;
        }
      });
      const closing = async (): Promise<void> => {
        for (let turns = 0; turns < 3; turns++) await sleep(0);
        await session.close();
      };
      return gather([...asking, closing]);
    },
  },
];
