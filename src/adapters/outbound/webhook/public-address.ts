import ipaddr from 'ipaddr.js';

export type Network = ReturnType<typeof ipaddr.parseCIDR>;

export const parseNetworks = (texts: readonly string[]): readonly Network[] =>
  texts.map((text) => ipaddr.parseCIDR(text));

/** Whether an address is one of the networks; an IPv4 address that is written as an IPv6 one counts as itself. */
export function isIn(address: string, networks: readonly Network[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = unmapped(address);
  return networks.some(([network, bits]) => parsed.kind() === network.kind() && parsed.match(network, bits));
}

/**
 * Whether an address is of the public internet: not of this machine, a private, link-local, reserved or multicast one
 * (IANA special-purpose registries, RFC 6890), nor an IPv6 address that has an IPv4 address in it (6to4, Teredo, NAT64).
 * Of IPv6 only 2000::/3 is given out (IANA IPv6 address space).
 */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = unmapped(address);
  return parsed.range() === 'unicast' && (!(parsed instanceof ipaddr.IPv6) || parsed.match(globalUnicast));
}

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** `::ffff:10.0.0.1` is 10.0.0.1. */
function unmapped(address: string): ipaddr.IPv4 | ipaddr.IPv6 {
  const parsed = ipaddr.parse(address);
  return parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed;
}
