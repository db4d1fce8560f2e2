/**
 * Files by the way that the page came. In messages the server's files have the one address that is good for everybody; this page
 * may have come by another (from this machine, over a proxy), and its policy lets it load from there only.
 */
import type { Place } from '../api/model';
import type { Config } from './config';

let base = '';
let leaves = false;

export function know(config: Pick<Config, 'base'>): void {
  base = config.base ? config.base.replace(/\/$/, '') + '/' : '';
}

/** On a public computer the browser is to keep nothing of them: the server is asked to say so (docs/files.md). */
export function stay(place: Place | undefined): void {
  leaves = place === 'public';
}

/** The same file, from where this page came; what lies elsewhere stays as it is. */
export function here(url: string): string {
  if (!base || !url.startsWith(base)) return url;
  const path = '/' + url.slice(base.length);
  return leaves ? `${path}${path.includes('?') ? '&' : '?'}once` : path;
}
