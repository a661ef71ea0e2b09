// The command with large files: 200 of 10 MB from an nginx on the same machine, 10 at a time, beside curl doing the same.

import { curlPeer, type Fetching, meanwhilePeer } from "../harness/fetching.ts";
import { LARGE_BYTES, nginx } from "../harness/nginx.ts";
import type { CommandPeer, Row } from "../harness/row.ts";

const URLS = 200;

const large: Fetching = {
  path: "large/",
  urls: URLS,
  atOnce: 10,
  measured: (seconds) => ({ rate: (URLS * LARGE_BYTES) / 1e6 / seconds }),
};

const peers: CommandPeer[] = [
  curlPeer("curl -Z", large, "thrown away"),
  meanwhilePeer("meanwhile fetch", large, "thrown away"),
  curlPeer("curl -Z, to files", large, "to files"),
  meanwhilePeer("meanwhile fetch, to files", large, "to files"),
];

export const row: Row = {
  name: "fetch-large",
  title: "meanwhile fetch: 200 files of 10 MB, 10 at a time, nginx on loopback",
  about:
    "The whole command from its start to its end. Bodies are thrown away, or each is saved as a file of its own, 2 GB in all; " +
    "meanwhile syncs each of them to the disk, curl none.",
  figures: [{ key: "rate", label: "MB/s", better: "more" }],
  server: nginx,
  peers,
  targets: [
    { ours: "meanwhile fetch", beside: "curl -Z", figure: "rate", compares: "speed", limit: 1 },
    { ours: "meanwhile fetch, to files", beside: "curl -Z, to files", figure: "rate", compares: "speed", limit: 1 },
  ],
};
