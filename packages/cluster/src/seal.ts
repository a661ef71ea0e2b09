// Signs what goes over the wire, if there is a secret, and refuses what is not signed with it.

import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";

import { ClusterError } from "./errors.ts";

/** Signs and checks texts. Each is bound to what it is for, so that one cannot be passed off as another. */
export interface Seal {
  /** The text with its signature. */
  close(use: string, text: string): string;
  /**
   * The text without its signature.
   *
   * @throws {@link ClusterError} `MW_ERR_CLUSTER_REFUSED`
   */
  open(use: string, sealed: string): string;
}

const MAC_LENGTH = 43;

/** Without a secret texts are what they are. */
export function sealWith(secret: KeyObject | null): Seal {
  if (secret === null) return { close: (_use, text) => text, open: (_use, text) => refuseSigned(text) };
  const sign = (use: string, text: string): string =>
    createHmac("sha256", secret).update(`${use}\n`).update(text).digest("base64url");
  return {
    close: (use, text) => `${sign(use, text)}.${text}`,
    open(use, sealed) {
      const text = sealed.slice(MAC_LENGTH + 1);
      if (sealed[MAC_LENGTH] !== "." || !isSame(sealed.slice(0, MAC_LENGTH), sign(use, text)))
        throw refused("it is not signed with the secret of this side; give both sides the same 'secret'");
      return text;
    },
  };
}

function refuseSigned(text: string): string {
  if (text.startsWith("{")) return text;
  const isSigned = /^[\w-]{43}\./.test(text);
  throw refused(
    isSigned
      ? "it is signed, but this side has no 'secret'; give both sides the same one"
      : "it was not written by this package",
  );
}

function isSame(one: string, other: string): boolean {
  return timingSafeEqual(
    Buffer.from(one.padEnd(MAC_LENGTH).slice(0, MAC_LENGTH), "latin1"),
    Buffer.from(other, "latin1"),
  );
}

function refused(why: string): ClusterError {
  return new ClusterError("MW_ERR_CLUSTER_REFUSED", `Cannot take what came over the queue: ${why}`);
}
