// Row 6: the command. 20 000 URLs of an nginx on the same machine, 100 at a time, beside curl doing the same.

import { curlPeer, type Fetching, meanwhilePeer } from "../harness/fetching.ts";
import { nginx } from "../harness/nginx.ts";
import type { CommandPeer, Row } from "../harness/row.ts";

const URLS = 20_000;

const small: Fetching = {
  path: "files/",
  urls: URLS,
  atOnce: 100,
  measured: (seconds) => ({ rate: URLS / seconds }),
};

const peers: CommandPeer[] = [
  curlPeer("curl -Z", small, "thrown away"),
  curlPeer("curl -Z, JSON lines", small, "thrown away", ["-w", "%{json}\\n"]),
  meanwhilePeer("meanwhile fetch", small, "thrown away"),
  curlPeer("curl -Z, to files", small, "to files"),
  meanwhilePeer("meanwhile fetch, to files", small, "to files"),
];

export const row: Row = {
  name: "fetch",
  title: "meanwhile fetch: 20 000 URLs, 100 at a time, nginx on loopback",
  about:
    "The whole command from its start to its end, with a list of 20 000 different URLs of 1.6 kB each in a file. " +
    "Bodies are thrown away, or each is saved as a file of its own. meanwhile always prints a line of JSON for each URL, which is counted; " +
    "curl prints nothing, and in one more row as many lines.",
  figures: [{ key: "rate", label: "URLs/s", better: "more" }],
  server: nginx,
  peers,
  targets: [
    { ours: "meanwhile fetch", beside: "curl -Z", figure: "rate", compares: "speed", limit: 1 },
    { ours: "meanwhile fetch, to files", beside: "curl -Z, to files", figure: "rate", compares: "speed", limit: 1 },
  ],
};
