/** Pictures of people (XEP-0084), groups (XEP-0486) and occupants (XEP-0153), known by the SHA-1 of their bytes. */
import type { Address } from '../api/model';
import { base64, fromBase64, hex, type Bytes } from '../xmpp/bytes';
import * as jid from '../xmpp/jid';
import { NS } from '../xmpp/ns';
import { el } from '../xmpp/xml';
import type { Context } from './context';
import { PICTURE } from './vault';

/** What we show; nothing that can run a script. By their first bytes, whatever they are said to be. */
const KINDS: [type: string, magic: number[], at: number][] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47], 0],
  ['image/jpeg', [0xff, 0xd8, 0xff], 0],
  ['image/gif', [0x47, 0x49, 0x46, 0x38], 0],
  ['image/webp', [0x57, 0x45, 0x42, 0x50], 8],
];
/** Pictures that cannot be had are not asked for again for so long: milliseconds. */
const RETRY_AFTER = 10 * 60_000;
/** Requests for pictures at the same time. */
const AT_ONCE = 6;

export class Pictures {
  private readonly loading = new Map<string, Promise<Blob | null>>();
  private readonly missing = new Map<string, number>();
  private readonly queue: (() => void)[] = [];
  private running = 0;

  constructor(
    private readonly context: Context,
    private readonly isGroup: (address: Address) => boolean,
  ) {}

  /** The picture with this hash, of an account, a group, or (a full address) an occupant. */
  get(address: Address, hash: string): Promise<Blob | null> {
    let loading = this.loading.get(hash);
    if (!loading) {
      loading = this.load(address, hash).finally(() => this.loading.delete(hash));
      this.loading.set(hash, loading);
    }
    return loading;
  }

  /** Publishes a picture; gives its hash. */
  async set(picture: { blob: Blob; width: number; height: number } | null): Promise<string | undefined> {
    const { pep } = this.context;
    if (!picture) {
      await pep.publish(NS.avatarMetadata, 'current', el('metadata', { xmlns: NS.avatarMetadata }));
      return undefined;
    }
    const { bytes, hash, type } = await this.prepare(picture.blob);
    await pep.publish(NS.avatarData, hash, el('data', { xmlns: NS.avatarData }, base64(bytes)));
    const { width, height } = picture;
    const info = el('info', { id: hash, bytes: bytes.length, type, width, height });
    await pep.publish(NS.avatarMetadata, hash, el('metadata', { xmlns: NS.avatarMetadata }, info));
    return hash;
  }

  /** XEP-0486 §4 */
  async setOfGroup(group: Address, picture: { blob: Blob } | null): Promise<void> {
    const card = el('vCard', { xmlns: NS.vcard });
    if (picture) {
      const { bytes, type } = await this.prepare(picture.blob);
      card.add(el('PHOTO', {}, el('TYPE', {}, type), el('BINVAL', {}, base64(bytes))));
    }
    await this.context.session.iq(el('iq', { type: 'set', to: group }, card));
  }

  private async prepare(blob: Blob): Promise<{ bytes: Bytes; hash: string; type: string }> {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const hash = await sha1(bytes);
    await this.context.vault.set(PICTURE + hash, blob);
    return { bytes, hash, type: kindOf(bytes) ?? blob.type };
  }

  private async load(address: Address, hash: string): Promise<Blob | null> {
    const kept = await this.context.vault.get<Blob>(PICTURE + hash);
    if (kept) return kept;
    if ((this.missing.get(hash) ?? 0) > Date.now()) return null;
    const text = await this.turn(() => this.fetch(address, hash)).catch(() => undefined);
    const picture = text === undefined ? null : await verified(text, hash);
    if (picture) await this.context.vault.set(PICTURE + hash, picture);
    else this.missing.set(hash, Date.now() + RETRY_AFTER);
    return picture;
  }

  private async fetch(address: Address, hash: string): Promise<string | undefined> {
    if (!this.isGroup(jid.bare(address))) {
      const [item] = await this.context.pep.items(NS.avatarData, address, hash);
      return item?.payload.text();
    }
    const answer = await this.context.session.iq(
      el('iq', { type: 'get', to: address }, el('vCard', { xmlns: NS.vcard })),
    );
    return answer.path(['vCard', NS.vcard], ['PHOTO'], ['BINVAL'])?.text();
  }

  /** A list of a thousand faces must not take the connection from what is said. */
  private async turn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= AT_ONCE) await new Promise<void>((resolve) => this.queue.push(resolve));
    this.running++;
    try {
      return await work();
    } finally {
      this.running--;
      this.queue.shift()?.();
    }
  }
}

async function verified(text: string, hash: string): Promise<Blob | null> {
  try {
    const bytes = fromBase64(text);
    const type = kindOf(bytes);
    return type !== undefined && (await sha1(bytes)) === hash.toLowerCase() ? new Blob([bytes], { type }) : null;
  } catch {
    return null;
  }
}

function kindOf(bytes: Bytes): string | undefined {
  return KINDS.find(([, magic, at]) => magic.every((byte, offset) => bytes[at + offset] === byte))?.[0];
}

async function sha1(bytes: Bytes): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-1', bytes)));
}
