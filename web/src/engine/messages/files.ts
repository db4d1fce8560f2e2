/** Files in messages: read from whatever a client writes, written so that every client has something to open. */
import type { FileInfo } from '../../api/model';
import { NS } from '../../xmpp/ns';
import { el, type El } from '../../xmpp/xml';

/** Files of one message that are looked at. */
const MAX_FILES = 50;

/** Types by the end of a name, for links without more (XEP-0066). */
const TYPES: Record<string, string> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  mp4: 'video/mp4',
  webm: 'video/webm',
  mov: 'video/quicktime',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  oga: 'audio/ogg',
  opus: 'audio/ogg',
  m4a: 'audio/mp4',
  wav: 'audio/wav',
  pdf: 'application/pdf',
};

/** Only these are ever fetched or opened. */
export const isHttp = (url: string): boolean => /^https?:\/\//i.test(url);

function count(text: string | undefined): number | undefined {
  const value = Number(text ?? NaN);
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** `<file/>` of XEP-0446, as far as it says something. */
function readFile(file: El): Omit<FileInfo, 'url'> {
  const thumbnail = file.all('thumbnail', NS.thumbs).find((one) => isHttp(one.attrs.uri ?? ''));
  const facts: Omit<FileInfo, 'url'> = {
    name: file.childText('name') ?? '',
    type: file.childText('media-type') ?? '',
  };
  for (const name of ['size', 'width', 'height'] as const) {
    const value = count(file.childText(name));
    if (value !== undefined) facts[name] = value;
  }
  const duration = count(file.childText('length'));
  if (duration !== undefined) facts.duration = duration;
  if (thumbnail) {
    const { uri = '', width, height, 'media-type': type = '' } = thumbnail.attrs;
    facts.thumbnail = { url: uri, width: count(width) ?? 0, height: count(height) ?? 0, type };
  }
  return facts;
}

/** `<file/>` as the server gives it of an upload (docs/files.md), or as it stands in a message. */
export const readMetadata = readFile;

function readSharing(sharing: El): FileInfo | undefined {
  const file = sharing.child('file', NS.fileMetadata);
  const sources = sharing.child('sources')?.all('url-data', NS.urlData) ?? [];
  const url = sources.map((source) => source.attrs.target ?? '').find(isHttp);
  if (!file || !url) return undefined;
  const facts = readFile(file);
  return { ...facts, url, name: facts.name || nameOf(url), type: facts.type || typeOf(url) };
}

/** XEP-0447, or else XEP-0066. */
export function readFiles(message: El): FileInfo[] {
  const shared = message
    .all('file-sharing', NS.sfs)
    .slice(0, MAX_FILES)
    .flatMap((one) => readSharing(one) ?? []);
  if (shared.length > 0) return shared;
  const links = message.all('x', NS.oob).slice(0, MAX_FILES);
  return links.flatMap((link) => {
    const url = link.childText('url')?.trim() ?? '';
    return isHttp(url) ? [{ url, name: nameOf(url), type: typeOf(url) }] : [];
  });
}

function nameOf(url: string): string {
  try {
    return decodeURIComponent(new URL(url).pathname.split('/').pop() ?? '');
  } catch {
    return '';
  }
}

const typeOf = (url: string): string => TYPES[/\.([a-z0-9]+)$/i.exec(nameOf(url))?.[1]?.toLowerCase() ?? ''] ?? '';

/** XEP-0447, with XEP-0446 in it. */
export function writeFile(file: FileInfo): El {
  const { name, type, size, width, height, duration, thumbnail } = file;
  const facts: [string, string | number | undefined][] = [
    ['media-type', type || undefined],
    ['name', name || undefined],
    ['size', size],
    ['width', width],
    ['height', height],
    ['length', duration],
  ];
  const shown = /^(image|video|audio)\//.test(type);
  return el(
    'file-sharing',
    { xmlns: NS.sfs, disposition: shown ? 'inline' : 'attachment' },
    el(
      'file',
      { xmlns: NS.fileMetadata },
      ...facts.map(([key, value]) => value !== undefined && el(key, {}, String(value))),
      thumbnail &&
        el('thumbnail', {
          xmlns: NS.thumbs,
          uri: thumbnail.url,
          'media-type': thumbnail.type || undefined,
          width: thumbnail.width || undefined,
          height: thumbnail.height || undefined,
        }),
    ),
    el('sources', {}, el('url-data', { xmlns: NS.urlData, target: file.url })),
  );
}
