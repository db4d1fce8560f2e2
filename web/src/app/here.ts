/**
 * Files by the way that the page came. In messages the server's files have the one address that is good for everybody; this page
 * may have come by another (from this machine, over a proxy), and its policy lets it load from there only.
 */
import type { Config } from './config';

let base = '';

export function know(config: Config): void {
  base = config.base ? config.base.replace(/\/$/, '') + '/' : '';
}

/** The same file, from where this page came; what lies elsewhere stays as it is. */
export function here(url: string): string {
  return base && url.startsWith(base) ? '/' + url.slice(base.length) : url;
}
