// What the codes of failed URLs mean, for the help.

import type { FailureCode } from "./record.ts";

export const FAILURE_MEANINGS: Readonly<Record<FailureCode, string>> = {
  bad_url: "not a URL, not http or https, or a line that is too long",
  bomb: "a small body that unpacks to a huge one",
  cancelled: "the run was stopped while it was under way",
  checksum: "the body is not the one that was asked for",
  connect: "no connection",
  dns: "the name has no address",
  http_4xx: "a status from 400 to 499 other than 429",
  http_5xx: "a status of 500 or above",
  incomplete: "the connection ended before the body did",
  policy_blocked: "the host has failed too often in a row, or a status that is not in --ok",
  protocol: "the server does not speak HTTP correctly",
  rate_limited: "429 to every attempt, or a host that wants to be left alone for too long",
  redirect_blocked: "a redirect that must not be followed, as from https to http",
  redirect_loop: "a redirect in a circle, or more than 10",
  reset: "the server closed the connection without an answer",
  stall: "no byte for --idle-timeout, or fewer than --min-speed",
  timeout: "--timeout or --connect-timeout has passed",
  tls: "no secure connection",
  too_large: "a body above --max-size, all bodies above --max-total, or header fields above 16 KiB",
  write: "the file cannot be written",
};
