// The parser of cookies, with the list of all public suffixes: loaded when the first cookie comes.

import { createRequire } from "node:module";

import type * as toughCookies from "tough-cookie";

const require = createRequire(import.meta.url);

export function toughCookie(): typeof toughCookies {
  const loaded: typeof toughCookies = require("tough-cookie");
  return loaded;
}
