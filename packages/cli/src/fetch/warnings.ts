// What the user should know before anything is sent.

import type { FetchOptions } from "./options.ts";

const EXPOSED =
  "everybody on this machine can read a secret on the command line; use -H @FILE, --token-file or --secret";
const INSECURE = "certificates are not checked (--insecure): whoever is in between can read and change everything";

/** One line for each warning, ended; empty without any. */
export function warningsOf({ plan, sources, network }: FetchOptions): string {
  const { proxy } = network.session;
  const hasPassword =
    sources.some((source) => source.kind === "argument" && holdsPassword(source.text)) ||
    (typeof proxy === "string" && holdsPassword(proxy));
  const warnings = [...(plan.isExposed || hasPassword ? [EXPOSED] : []), ...(network.isInsecure ? [INSECURE] : [])];
  return warnings.map((warning) => `meanwhile: warning: ${warning}\n`).join("");
}

function holdsPassword(text: string): boolean {
  return text.includes("@") && URL.canParse(text) && new URL(text).password !== "";
}
