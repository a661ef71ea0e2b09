// Mirrors a list of files into a folder. A download that breaks off goes on where it was; what is not the file that the list
// promises is not kept; what is there is left alone, so that the mirror can be run again.

import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ClientSession, download, HttpError } from "@meanwhile/http";
import { fixed, gather, run } from "meanwhile";

import { serve } from "./support/serve.ts";

interface Listed {
  readonly name: string;
  readonly sha256: string;
}

async function mirrorOne(session: ClientSession, { name, sha256 }: Listed, folder: string): Promise<string> {
  try {
    const { bytes } = await download(session, `/${name}`, join(folder, name), { checksum: { sha256 } });
    return `${name}: ${bytes} bytes`;
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return `${name}: ${error.code}`;
  }
}

async function mirror(origin: string, list: readonly Listed[], folder: string): Promise<string[]> {
  await using session = new ClientSession({
    baseUrl: origin,
    limitPerHost: 4,
    retry: { attempts: 3, backoff: fixed(5) },
  });
  return await gather(list.map((listed) => () => mirrorOne(session, listed, folder)));
}

const content = Buffer.alloc(100_000, "meanwhile ");
const sha256 = createHash("sha256").update(content).digest("hex");
const ranges: string[] = [];
// The first answer for b.bin breaks off in its middle; c.bin is not what the list says.
await using server = await serve(({ url, headers: { range } }, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  const body = content.subarray(from);
  if (range !== undefined) ranges.push(`${url} from byte ${from}`);
  response.writeHead(range === undefined ? 200 : 206, {
    etag: '"v1"',
    "content-length": body.length,
    ...(range === undefined ? {} : { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` }),
  });
  if (url === "/c.bin") response.end(Buffer.alloc(body.length));
  else if (url === "/b.bin" && from === 0) response.write(body.subarray(0, 50_000), () => response.destroy());
  else response.end(body);
});
const list = ["a.bin", "b.bin", "c.bin"].map((name) => ({ name, sha256 }));
const folder = await mkdtemp(join(tmpdir(), "mirror-"));
try {
  await run(async () => {
    console.log(await mirror(server.origin, list, folder)); // 100000 bytes each of a and b, MW_ERR_HTTP_CHECKSUM for c
    console.log(ranges); // b.bin was asked for the rest only: [ '/b.bin from byte 50000' ]
    console.log(await mirror(server.origin, list, folder)); // MW_ERR_HTTP_FILE_EXISTS for a and b: nothing was requested
    console.log(await readdir(folder)); // [ 'a.bin', 'b.bin' ]
  });
} finally {
  await rm(folder, { recursive: true });
}
