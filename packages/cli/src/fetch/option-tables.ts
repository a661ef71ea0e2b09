// The options of `meanwhile fetch`, by group: what the parser takes, the help says and the shell completes.

/** One option. The first four fields are those of `parseArgs`. */
export interface OptionRow {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  readonly default?: string | boolean;
  /** What stands for its value in the help, like FILE; choices are separated by a bar. */
  readonly value?: string;
  readonly help: string;
}

type OptionTable = Readonly<Record<string, OptionRow>>;

export const INPUT_OPTIONS = {
  input: { type: "string", short: "i", multiple: true, value: "FILE", help: "a list of URLs; - is stdin; repeatable" },
  glob: {
    type: "boolean",
    default: false,
    help: "expand [1-9], [01-10], [a-f] and {one,two} in the URLs of the command line",
  },
  "input-format": {
    type: "string",
    default: "auto",
    value: "auto|txt|jsonl",
    help: "lines are URLs, or objects of JSON with url, id, method, headers, body (or json, bodyBase64), out and checksum; auto: objects begin with {",
  },
  dedupe: { type: "boolean", default: false, help: "request what the list names twice only once" },
  "max-urls": { type: "string", value: "N", help: "read no more than so many URLs" },
} as const;

export const SCHEDULE_OPTIONS = {
  concurrency: { type: "string", short: "c", default: "50", value: "N", help: "requests at once in all" },
  "per-host": {
    type: "string",
    default: "6",
    value: "N",
    help: "requests at once to one host (scheme, name and port)",
  },
  rate: { type: "string", value: "RATE", help: "requests started in all, evenly spaced: like 20/s, 100/m, 1000/h" },
  "per-host-rate": { type: "string", value: "RATE", help: "the same for each host" },
  adaptive: {
    type: "boolean",
    default: false,
    help: "find the concurrency a host bears: halved at 429, 503 and timeouts, one more after 20 answers, up to --per-host",
  },
  retries: { type: "string", default: "3", value: "N", help: "more attempts where a failure may pass" },
  "retry-all-methods": {
    type: "boolean",
    default: false,
    help: "retry POST and PATCH too, although the server may have acted on the first attempt",
  },
  "retry-max-time": {
    type: "string",
    default: "120",
    value: "TIME",
    help: "wait no longer for a host that asks to be left alone; its URLs are put off to the end of the run, and fail there as rate_limited if it is still too early",
  },
  "max-host-errors": {
    type: "string",
    default: "30",
    value: "N",
    help: "give a host up after so many URLs in a row without an answer, each at its first try; the rest of its URLs fail as policy_blocked; 0 for never",
  },
  "max-errors": { type: "string", value: "N", help: "stop when so many URLs have failed (exit status 5)" },
  "fail-fast": {
    type: "boolean",
    default: false,
    help: "stop at the first URL that fails; the same as --max-errors 1",
  },
  ok: { type: "string", value: "LIST", help: "statuses that are no failure, like 200-299,404; default 100-399" },
} as const;

export const CLUSTER_OPTIONS = {
  cluster: {
    type: "string",
    value: "URL",
    help: "have the requests made by workers on other machines (meanwhile worker --fetch), over the queue there: redis:, rediss:, postgres: or postgresql:; limits, retries and journal stay here and hold over all of them",
  },
} as const;

export const LIMIT_OPTIONS = {
  timeout: {
    type: "string",
    value: "TIME",
    help: "for one attempt, redirects included; default 30s; with -o only until the body begins, unless you say it",
  },
  "connect-timeout": {
    type: "string",
    default: "10",
    value: "TIME",
    help: "to look up the name, connect and agree on TLS",
  },
  "idle-timeout": { type: "string", default: "15", value: "TIME", help: "without a byte of the answer" },
  "min-speed": {
    type: "string",
    value: "SIZE",
    help: "give a body up that brings fewer bytes per second over 15 s (stall)",
  },
  grace: {
    type: "string",
    default: "5",
    value: "TIME",
    help: "what requests that run are given to end after Ctrl-C; 0 for none",
  },
  deadline: { type: "string", value: "TIME", help: "for the whole run (exit status 124)" },
  "max-size": { type: "string", value: "SIZE", help: "the largest body, unpacked; default 1GiB; 10MiB with --body" },
  "max-total": { type: "string", value: "SIZE", help: "stop when all bodies together are larger (exit status 4)" },
  "min-free": {
    type: "string",
    default: "100MiB",
    value: "SIZE",
    help: "with -o: stop when the disk has less room left (exit status 4)",
  },
} as const;

export const REQUEST_OPTIONS = {
  request: { type: "string", short: "X", value: "METHOD", help: "instead of GET, or POST with --data and --json" },
  header: {
    type: "string",
    short: "H",
    multiple: true,
    value: "NAME:VALUE",
    help: "sent with every request; @FILE reads one from each line of a file; repeatable",
  },
  data: { type: "string", short: "d", value: "TEXT", help: "the body of every request; @FILE reads it from a file" },
  json: { type: "string", value: "JSON", help: "the same, checked and sent as application/json" },
  user: {
    type: "string",
    short: "u",
    value: "NAME[:PASSWORD]",
    help: "basic authentication; without a password here it is that of the variable MEANWHILE_PASSWORD",
  },
  "token-file": { type: "string", value: "FILE", help: "a bearer token: the first line of the file" },
  secret: {
    type: "string",
    multiple: true,
    value: "NAME",
    help: "puts the environment variable NAME where {{NAME}} stands in URLs, headers and --data, and shows it nowhere; repeatable",
  },
} as const;

export const NETWORK_OPTIONS = {
  proxy: {
    type: "string",
    short: "x",
    value: "URL",
    help: "the proxy to take: http://, https://, socks5h:// or socks5://",
  },
  "trust-env": {
    type: "boolean",
    default: false,
    help: "take the proxies of HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY",
  },
  cacert: {
    type: "string",
    value: "FILE",
    help: "certificates of authorities to believe, instead of those of the system",
  },
  insecure: {
    type: "boolean",
    short: "k",
    default: false,
    help: "believe every certificate: whoever is in between can read and change everything",
  },
  resolve: {
    type: "string",
    multiple: true,
    value: "HOST:ADDRESS",
    help: "an address that is known, also HOST:PORT:ADDRESS; repeatable",
  },
  "public-only": {
    type: "boolean",
    default: false,
    help: "connect only to addresses of the public internet, at every redirect too (policy_blocked)",
  },
  http1: { type: "boolean", default: false, help: "speak HTTP/1.1 only, which is what happens without --http2" },
  http2: { type: "boolean", default: false, help: "speak HTTP/2 with https servers that offer it" },
  "allow-private-redirects": {
    type: "boolean",
    default: false,
    help: "follow redirects from the public internet into private networks too (policy_blocked otherwise)",
  },
  "cookie-jar": { type: "string", value: "FILE", help: "keep cookies, and keep them in this file for the next run" },
} as const;

export const FILE_OPTIONS = {
  output: { type: "string", short: "o", value: "DIR", help: "save bodies as files of this directory" },
  name: {
    type: "string",
    value: "TEMPLATE",
    help: "their names, like {host}/{path}; of {host} {path} {name} {index} {id} {hash} {ext} {date}; default {name}",
  },
  "content-disposition": { type: "boolean", default: false, help: "let servers choose names, made safe as all others" },
  overwrite: { type: "boolean", default: false, help: "replace files that exist; otherwise the next name is NAME-1" },
  "skip-existing": { type: "boolean", default: false, help: "request no URL whose file exists" },
  resume: {
    type: "boolean",
    default: false,
    help: "keep the part of a file that came, and go on there in the next attempt or run",
  },
  fsync: { type: "boolean", default: false, help: "sync every file to the disk, not only those of 1 MiB and more" },
  checksum: { type: "string", value: "sha256:HEX", help: "what the body of the only URL must have" },
  sha256: { type: "boolean", default: false, help: "put the SHA-256 of each body into its record" },
} as const;

export const STATE_OPTIONS = {
  state: {
    type: "string",
    value: "FILE",
    help: "note what is finished; the same command goes on from there, and tries again what failed",
  },
  "only-failed": { type: "boolean", default: false, help: "with --state: only what failed in earlier runs" },
  "quiet-skipped": { type: "boolean", default: false, help: "no records for URLs that are skipped" },
} as const;

export const OUTPUT_OPTIONS = {
  jsonl: { type: "string", value: "FILE", help: "append the records to a file instead of writing them to stdout" },
  format: {
    type: "string",
    value: "jsonl|csv|tsv|table",
    help: "of the records on stdout; default jsonl, but the body itself for a single URL",
  },
  fields: { type: "string", value: "LIST", help: "only these fields, like url,status,error.code" },
  ordered: { type: "boolean", default: false, help: "records in the order of the list" },
  trace: { type: "string", value: "FILE", help: "write a trace for chrome://tracing or Perfetto" },
  body: { type: "string", default: "none", value: "none|text|base64", help: "put bodies into the records" },
  progress: {
    type: "string",
    default: "auto",
    value: "auto|bar|plain|json|none",
    help: "a bar that is redrawn, a line every 10 s, an object of JSON every second",
  },
  quiet: { type: "boolean", short: "q", default: false, help: "neither progress nor summary nor warnings" },
  "dry-run": {
    type: "boolean",
    default: false,
    help: "only print what would be requested; touches neither network nor disk",
  },
  curl: { type: "boolean", default: false, help: "only print the commands of curl that would request the same" },
  help: { type: "boolean", short: "h", default: false, help: "this text" },
  version: { type: "boolean", short: "V", default: false, help: "the version" },
} as const;

/** All groups with their titles, in the order of the help. */
export const OPTION_GROUPS: ReadonlyArray<readonly [title: string, options: OptionTable]> = [
  ["Input", INPUT_OPTIONS],
  ["Scheduling and retries", SCHEDULE_OPTIONS],
  ["Other machines", CLUSTER_OPTIONS],
  ["Limits", LIMIT_OPTIONS],
  ["Request", REQUEST_OPTIONS],
  ["Network", NETWORK_OPTIONS],
  ["Files", FILE_OPTIONS],
  ["Going on later", STATE_OPTIONS],
  ["Output", OUTPUT_OPTIONS],
];
