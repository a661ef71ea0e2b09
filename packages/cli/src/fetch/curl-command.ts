// `--curl`: the command of curl that would request the same.

import type { FetchOptions } from "./options.ts";
import { withoutUserinfo } from "./record.ts";
import { printfCommand, quoteUrl, quoteWord } from "./shell-words.ts";
import type { Target } from "./target.ts";

const TEXT_TYPE = "text/plain;charset=UTF-8";
/** Stands for credentials whose text is not shown. */
const HIDDEN_AUTHORIZATION = "$AUTHORIZATION";
const PROXY_VARIABLES = ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

type Headers = ReadonlyArray<readonly [name: string, value: string]>;

/** One line. Secrets are the variables of the environment they come from. */
export function renderCurl({ text, request }: Target, options: FetchOptions): string {
  const { plan, connectMs, timeoutMs } = options;
  const isSecret = (name: string): boolean => plan.secrets.has(name);
  const quote = (word: string): string => quoteWord(word, isSecret);
  const method = request.method ?? plan.method;
  const body = bodyOf(request.body, plan.shownBody, quote);
  const url = withoutUserinfo(text);
  const headers = headersOf(request.headers, plan.shownHeaders);
  const isKnown = url === text || headers.some(([name]) => name === "authorization");
  const words = [
    `${body.before}curl -sSL --globoff --compressed`,
    ...methodWords(method, body.words.length > 0).map(quote),
    ...(isKnown ? headers : [...headers, ["authorization", HIDDEN_AUTHORIZATION] as const]).flatMap(([name, value]) => [
      "-H",
      headerWord(name, value, quote),
    ]),
    ...(body.words.length === 0 ? [] : typeWords(headers, request.body === undefined).map(quote)),
    ...body.words,
    ...networkWords(options, url),
    ...(Number.isFinite(connectMs) ? [`--connect-timeout ${connectMs / 1_000}`] : []),
    ...(timeoutMs !== undefined && Number.isFinite(timeoutMs) ? [`--max-time ${timeoutMs / 1_000}`] : []),
    quoteUrl(url, isSecret),
  ];
  return `${words.join(" ")}\n`;
}

/** A body of curl's words is text without zeros; any other comes through a pipe. */
function bodyOf(
  own: Uint8Array | undefined,
  usual: string | undefined,
  quote: (word: string) => string,
): { readonly before: string; readonly words: readonly string[] } {
  if (own === undefined) return { before: "", words: usual === undefined ? [] : ["--data-raw", quote(usual)] };
  const text = Buffer.from(own).toString("utf8");
  if (!text.includes("\0") && Buffer.from(text).equals(own)) {
    // What stands in the list is sent as it is.
    return { before: "", words: ["--data-raw", quoteWord(text, () => false)] };
  }
  return { before: `${printfCommand(own)} | `, words: ["--data-binary", "@-"] };
}

/** Without a word about it curl would call it a form. */
function typeWords(headers: Headers, isText: boolean): string[] {
  if (headers.some(([name]) => name === "content-type")) return [];
  return ["-H", isText ? `content-type: ${TEXT_TYPE}` : "content-type:"];
}

function methodWords(method: string, hasBody: boolean): string[] {
  // With -I curl sends no body; without it, it would wait for one in the answer.
  if (method === "HEAD" && hasBody) return ["-X", "HEAD", "--ignore-content-length", "-H", "connection: close"];
  if (method === "HEAD") return ["-I"];
  return method === (hasBody ? "POST" : "GET") ? [] : ["-X", method];
}

function headerWord(name: string, value: string, quote: (word: string) => string): string {
  // Of --user, --token-file and the userinfo of URLs only this is shown.
  if (value === HIDDEN_AUTHORIZATION) return `"${name}: ${value}"`;
  return quote(value === "" ? `${name};` : `${name}: ${value}`); // with a colon curl would send none
}

function networkWords({ network, plan }: FetchOptions, url: string): string[] {
  const quote = (word: string): string => quoteWord(word, (name) => plan.secrets.has(name));
  const { session, isInsecure, cacert, httpVersion } = network;
  return [
    ...(httpVersion === undefined ? [] : [`--http${httpVersion}`]),
    ...proxyWords(session),
    ...(isInsecure ? ["-k"] : []),
    ...(cacert === undefined ? [] : ["--cacert", quote(cacert)]),
    ...resolveWords(session.dns?.resolve, url).map(quote),
  ];
}

function proxyWords({ proxy, trustEnv = false }: FetchOptions["network"]["session"]): string[] {
  if (typeof proxy === "string") {
    const open = withoutUserinfo(proxy);
    const word = quoteWord(open, () => false);
    return open === proxy ? ["-x", word] : ["-x", word, "--proxy-user", '"$PROXY_USER"'];
  }
  // Those of the environment curl takes without being told to.
  const isSet = PROXY_VARIABLES.some((name) => (process.env[name] ?? "") !== "");
  return isSet && !trustEnv ? ["--noproxy '*'"] : [];
}

function resolveWords(known: Readonly<Record<string, unknown>> | undefined, text: string): string[] {
  if (known === undefined || !URL.canParse(text)) return [];
  const { protocol, hostname, port } = new URL(text);
  const usualPort = protocol === "https:" ? 443 : 80;
  const place = `${hostname}:${port === "" ? usualPort : port}`;
  const address = known[place] ?? known[hostname];
  if (typeof address !== "string") return [];
  return ["--resolve", `${place}:${address.includes(":") ? `[${address}]` : address}`];
}

/** Those of the line count before those of the run. */
export function headersOf(own: Headers | undefined, usual: Headers): Headers {
  const named = new Set(own?.map(([name]) => name));
  return [...usual.filter(([name]) => !named.has(name)), ...(own ?? [])];
}
