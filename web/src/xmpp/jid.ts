/** Addresses (RFC 7622), as strings. Servers prepare them; what people type is only brought to lower case. */

export function bare(jid: string): string {
  const slash = jid.indexOf('/');
  return slash < 0 ? jid : jid.slice(0, slash);
}

/** The part behind the first slash, or nothing: a resource, or the nick of an occupant. */
export function resource(jid: string): string {
  const slash = jid.indexOf('/');
  return slash < 0 ? '' : jid.slice(slash + 1);
}

/** The part before the `@`, or nothing. */
export function local(jid: string): string {
  const address = bare(jid);
  const at = address.indexOf('@');
  return at < 0 ? '' : address.slice(0, at);
}

export function domain(jid: string): string {
  const address = bare(jid);
  return address.slice(address.indexOf('@') + 1);
}

/** The number of an address whose local part is one (`10001@...`), without leading zeros. */
export function number(jid: string): string | undefined {
  const digits = /^0*([1-9][0-9]*)$/.exec(local(jid));
  return digits?.[1];
}

/** The bare address in the form in which it is compared. */
export function prepared(jid: string): string {
  return bare(jid).normalize('NFC').toLowerCase();
}
