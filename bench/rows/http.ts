// Row 5: what an HTTP client costs. GET of 1 600 bytes, 100 at a time, from an nginx on the same machine.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { costOf, LONG } from "../harness/measuring.ts";
import { nginx } from "../harness/nginx.ts";
import type { Measured, Row } from "../harness/row.ts";

const REQUESTS = 10_000;
const AT_ONCE = 100;
const BYTES = 1600;
const CURL_REQUESTS = 100_000;

const url = (): string => process.env["BENCH_URL"] ?? "";

/** Requests a second when `AT_ONCE` loops call `get`, each of which gives the number of bytes it has read. */
async function perSecond(get: () => Promise<number>): Promise<Measured> {
  const { wallMs, cpuMs } = await costOf(() => Promise.all(loops(get).map((loop) => loop())), LONG);
  return { rate: (REQUESTS * 1000) / wallMs, cpu: (cpuMs * 1000) / REQUESTS };
}

function loops(get: () => Promise<number>): (() => Promise<void>)[] {
  let left = REQUESTS;
  async function loop(): Promise<void> {
    while (left > 0) {
      left -= 1;
      const bytes = await get();
      if (bytes !== BYTES) throw new Error(`the answer has ${bytes} bytes`);
    }
  }
  return Array.from({ length: AT_ONCE }, () => loop);
}

async function ours(): Promise<Measured> {
  const [{ gather, run }, { ClientSession }] = await Promise.all([import("meanwhile"), import("@meanwhile/http")]);
  return run(async () => {
    await using session = new ClientSession({ limit: AT_ONCE });
    const get = async (): Promise<number> => {
      await using response = await session.get(url());
      return (await response.text()).length;
    };
    const { wallMs, cpuMs } = await costOf(() => gather(loops(get)), LONG);
    return { rate: (REQUESTS * 1000) / wallMs, cpu: (cpuMs * 1000) / REQUESTS };
  });
}

async function undiciRequest(): Promise<Measured> {
  const { Agent, request } = await import("undici");
  const dispatcher = new Agent({ connections: AT_ONCE });
  return perSecond(async () => {
    const { body } = await request(url(), { dispatcher });
    return (await body.text()).length;
  });
}

async function undiciFetch(): Promise<Measured> {
  const { Agent, fetch } = await import("undici");
  const dispatcher = new Agent({ connections: AT_ONCE });
  return perSecond(async () => {
    const response = await fetch(url(), { dispatcher });
    return (await response.text()).length;
  });
}

async function got(): Promise<Measured> {
  const [{ default: plain }, { Agent }] = await Promise.all([import("got"), import("node:http")]);
  const client = plain.extend({ agent: { http: new Agent({ keepAlive: true, maxSockets: AT_ONCE }) } });
  return perSecond(async () => (await client(url()).text()).length);
}

function curlList(): string {
  const list = join(process.env["BENCH_DIR"] ?? "", "curl-http");
  writeFileSync(list, `url = "${url()}"\noutput = "/dev/null"\n`.repeat(CURL_REQUESTS));
  return list;
}

export const row: Row = {
  name: "http",
  title: "HTTP GET of 1.6 kB, 100 at a time, nginx on loopback",
  about:
    "100 loops ask for the same file and read its body as text, over at most 100 kept connections, until 10 000 answers are there, again and again for three seconds. " +
    "Server and client share the machine. Instrumented, the session and the loops are transformed by `@meanwhile/instrument`. wrk and `curl -Z` are no peers, they show what server and machine can do: wrk parses no more than it must, " +
    "`curl -Z` is given 100 000 URLs at once and throws the bodies away, its start included.",
  figures: [
    { key: "rate", label: "requests/s", better: "more" },
    { key: "cpu", label: "CPU µs per request", better: "less" },
  ],
  server: nginx,
  peers: [
    { kind: "node", name: "undici.request", packages: ["undici"], measure: undiciRequest },
    { kind: "node", name: "ClientSession", ours: true, packages: ["@meanwhile/http"], measure: ours },
    {
      kind: "node",
      name: "ClientSession, instrumented",
      ours: true,
      instrumented: true,
      packages: ["@meanwhile/instrument"],
      measure: ours,
    },
    { kind: "node", name: "undici.fetch", packages: ["undici"], measure: undiciFetch },
    { kind: "node", name: "got", packages: ["got"], measure: got },
    { kind: "python", name: "aiohttp", script: "http_get.py", modules: ["aiohttp"] },
    {
      kind: "python",
      name: "aiohttp + uvloop",
      script: "http_get.py",
      args: ["uvloop"],
      modules: ["aiohttp", "uvloop"],
    },
    {
      kind: "command",
      name: "curl -Z",
      command: () => ["curl", "-q", "--silent", "-Z", "--parallel-max", String(AT_ONCE), "-K", curlList()],
      version: ["curl", "--version"],
      install: "apt-get install curl",
      measured: (_, seconds) => ({ rate: CURL_REQUESTS / seconds }),
    },
    {
      kind: "command",
      name: "wrk",
      command: () => ["wrk", "-t", "1", "-c", String(AT_ONCE), "-d", "3s", url()],
      version: ["wrk", "-v"],
      install: "apt-get install wrk",
      measured: (stdout) => ({ rate: Number(/^Requests\/sec:\s+([\d.]+)/m.exec(stdout)?.[1]) }),
    },
  ],
  targets: [
    { ours: "ClientSession", beside: "undici.request", figure: "rate", compares: "speed", limit: 0.85 },
    { ours: "ClientSession, instrumented", beside: "ClientSession", figure: "cpu", compares: "cost", limit: 1.05 },
    { ours: "ClientSession", beside: "aiohttp + uvloop", figure: "rate", compares: "speed", limit: 4 },
  ],
};
