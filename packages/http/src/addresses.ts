// Which addresses belong to the public internet. Everything that IANA keeps for another purpose is not one of them, in
// whatever form it is written: an IPv4 address inside of an IPv6 address is judged as the IPv4 address.

import { BlockList, isIP } from "node:net";

/** Decides whether a connection to an address may be made. `hostname` is what the URL says. */
export type AddressRule = (address: string, family: 4 | 6, hostname: string) => boolean;

/** @see {@link https://www.iana.org/assignments/iana-ipv4-special-registry} */
const SPECIAL_IPV4 = [
  "0.0.0.0/8", // this network
  "10.0.0.0/8",
  "100.64.0.0/10", // behind a carrier's NAT
  "127.0.0.0/8",
  "169.254.0.0/16", // link-local, and the metadata services of clouds
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24", // documentation, like 198.51.100 and 203.0.113
  "192.88.99.0/24", // relays to 6to4
  "192.168.0.0/16",
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and broadcast
];

/** What can be public in IPv6 at all: global unicast, mapped IPv4, and IPv4 behind NAT64. */
const MAYBE_PUBLIC_IPV6 = ["2000::/3", "::ffff:0:0/96", "64:ff9b::/96"];

/** @see {@link https://www.iana.org/assignments/iana-ipv6-special-registry} */
const SPECIAL_IPV6 = [
  "2001::/23", // Teredo, benchmarks, ORCHID
  "2001:db8::/32", // documentation, like 3fff
  "2002::/16", // 6to4: leads to any IPv4 address
  "3fff::/20",
];

const specialIpv4 = blockList(SPECIAL_IPV4);
const maybePublicIpv6 = blockList(MAYBE_PUBLIC_IPV6);
const specialIpv6 = blockList([...SPECIAL_IPV6, ...embedded("::ffff:"), ...embedded("64:ff9b::")]);

/** Whether the address can be reached by anybody, and is nobody's own network. */
export function isPublic(address: string): boolean {
  // An address with a zone is of one link.
  const family = address.includes("%") ? 0 : isIP(address);
  if (family === 4) return !specialIpv4.check(address, "ipv4");
  return family === 6 && maybePublicIpv6.check(address, "ipv6") && !specialIpv6.check(address, "ipv6");
}

/** A list of networks like `10.0.0.0/8` or `fe80::/10`. */
export function blockList(networks: ReadonlyArray<string>): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    list.addSubnet(address, Number(bits), address.includes(":") ? "ipv6" : "ipv4");
  }
  return list;
}

/** The IPv4 networks as they are inside of an IPv6 prefix of 96 bits. */
function embedded(prefix: string): string[] {
  return SPECIAL_IPV4.map((network) => {
    const [address, bits] = network.split("/");
    return `${prefix}${address}/${96 + Number(bits)}`;
  });
}
