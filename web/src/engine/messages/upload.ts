/** Files on their way to the server (XEP-0363): asked for over XMPP, put over HTTP. */
import { ApiError } from '../../api/api';
import type { FileInfo, OutgoingFile } from '../../api/model';
import type { ServerConfig } from '../context';
import { NS } from '../../xmpp/ns';
import { StanzaError, type Session } from '../../xmpp/session';
import { el } from '../../xmpp/xml';
import { isHttp, readMetadata } from './files';
import { OWN } from './ns';

/** Puts bytes at an address and tells how many are there; resolves with the status of HTTP, rejects without a connection. */
export type Put = (
  url: string,
  blob: Blob,
  headers: Record<string, string>,
  progress: (sent: number) => void,
) => Promise<number>;

/** Headers that a server may ask for (XEP-0363 §4.1). */
const HEADERS = new Set(['authorization', 'cookie', 'expires']);

/** With `XMLHttpRequest`, since `fetch` does not tell how far it is; exists in workers, too. */
export const putByXhr: Put = (url, blob, headers, progress) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => progress(loaded);
    request.onload = () => resolve(request.status);
    request.onerror = request.onabort = request.ontimeout = () => reject(new ApiError('offline'));
    request.send(blob);
  });

/** Where there is no XMLHttpRequest: tests. */
export const putByFetch: Put = async (url, blob, headers, progress) => {
  const answer = await fetch(url, { method: 'PUT', body: blob, headers }).catch(() => {
    throw new ApiError('offline');
  });
  progress(blob.size);
  return answer.status;
};

export class Uploads {
  /** Says what it knows of uploads (docs/files.md); false once it has refused. */
  private describes = true;

  constructor(
    private readonly session: Session,
    private readonly config: Pick<ServerConfig, 'domain' | 'base' | 'origin'>,
    private readonly put: Put,
  ) {}

  /** Puts a file there and says what is known of it, its small picture included. Rejects with an `ApiError`. */
  async upload(file: OutgoingFile, progress: (sent: number) => void): Promise<FileInfo> {
    const url = await this.store(file.blob, file.name, file.type, progress);
    const { name, type, width, height, duration } = file;
    const facts: FileInfo = { url, name, type, size: file.blob.size };
    // docs/files.md: what was recorded in WebM is there in Ogg, too, which everybody plays. How large it is then, nobody knows yet.
    if (this.config.base !== undefined && file.voice && type === 'audio/webm') {
      const ogg = (path: string) => path.replace(/\.webm$/, '.ogg');
      Object.assign(facts, { url: ogg(url), name: ogg(name), type: 'audio/ogg', size: undefined });
    }
    Object.assign(facts, width && { width }, height && { height }, duration && { duration });
    return this.described(facts);
  }

  /** The page's policy lets it reach the server by the address that it came by, and by no other. */
  private here(url: string): string {
    const { base, origin } = this.config;
    return base && url.startsWith(base + '/') ? origin + url.slice(base.length) : url;
  }

  private async store(blob: Blob, name: string, type: string, progress: (sent: number) => void): Promise<string> {
    const request = el('request', {
      xmlns: NS.upload,
      filename: name || 'file',
      size: blob.size,
      'content-type': type || undefined,
    });
    let slot;
    try {
      slot = (await this.session.iq(el('iq', { type: 'get', to: this.config.domain }, request))).child(
        'slot',
        NS.upload,
      );
    } catch (error) {
      throw refusal(error);
    }
    const put = slot?.child('put');
    const get = slot?.child('get')?.attrs.url ?? '';
    if (!put?.attrs.url || !isHttp(put.attrs.url) || !isHttp(get)) throw new ApiError('undefined-condition');
    const headers: Record<string, string> = type === '' ? {} : { 'Content-Type': type };
    for (const header of put.all('header')) {
      const key = header.attrs.name ?? '';
      if (HEADERS.has(key.toLowerCase())) headers[key] = header.text().replace(/[\r\n]/g, '');
    }
    const status = await this.put(this.here(put.attrs.url), blob, headers, progress);
    if (status < 200 || status >= 300) throw httpError(status);
    return get;
  }

  /** What the server knows of an upload: size as it is shown, and the address of a small copy. */
  private async described(file: FileInfo): Promise<FileInfo> {
    if (!this.describes || !file.type.startsWith('image/')) return file;
    try {
      const info = el('info', { xmlns: OWN.file, url: file.url });
      const answer = await this.session.iq(el('iq', { type: 'get', to: this.config.domain }, info));
      const known = answer.path(['info', OWN.file], ['file', NS.fileMetadata]);
      if (!known) return file;
      const { width, height, thumbnail } = readMetadata(known);
      return { ...file, ...(width && { width }), ...(height && { height }), ...(thumbnail && { thumbnail }) };
    } catch (error) {
      const unknown =
        error instanceof StanzaError && ['service-unavailable', 'feature-not-implemented'].includes(error.condition);
      if (unknown) this.describes = false;
      return file;
    }
  }
}

/** XEP-0363 §4.2 */
function refusal(error: unknown): ApiError {
  if (!(error instanceof StanzaError)) return new ApiError('undefined-condition');
  const tooLarge = error.stanza?.child('error')?.child('file-too-large', NS.upload);
  if (tooLarge)
    return new ApiError('too-large', error.text, { limit: Number(tooLarge.childText('max-file-size')) || 0 });
  return new ApiError(error.condition === 'resource-constraint' ? 'quota' : error.condition, error.text);
}

function httpError(status: number): ApiError {
  const codes: Record<number, string> = {
    403: 'forbidden',
    410: 'gone',
    413: 'too-large',
    415: 'not-acceptable',
    422: 'refused',
  };
  return new ApiError(codes[status] ?? (status >= 500 ? 'offline' : 'undefined-condition'), '', { status });
}
