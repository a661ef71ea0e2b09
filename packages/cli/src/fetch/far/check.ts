// What `--cluster` cannot do.

import { usageError } from "../../errors.ts";
import type { FetchOptions } from "../options.ts";

/** Refuses what cannot be done far from here. */
export function checkFar(options: FetchOptions): void {
  if (options.cluster === undefined) return;
  const { plan, network, files } = options;
  const impossible: ReadonlyArray<readonly [isSaid: boolean, option: string, why: string]> = [
    [files !== undefined, "-o", "files would be on other machines; use --body"],
    [network.cookieJar !== undefined, "--cookie-jar", "cookies stay on one machine"],
    [!plan.secrets.isEmpty, "--secret", "secrets do not go over the queue"],
    [
      plan.shownHeaders.length < plan.headers.length || hasHidden(options),
      "--user and --token-file",
      "secrets do not go over the queue",
    ],
  ];
  const found = impossible.find(([isSaid]) => isSaid);
  if (found !== undefined) throw usageError(`--cluster cannot be used with ${found[1]}: ${found[2]}`);
}

function hasHidden({ plan }: FetchOptions): boolean {
  return plan.headers.some(([, value]) => typeof value !== "string");
}
