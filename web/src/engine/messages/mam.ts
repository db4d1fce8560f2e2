/** The archives (XEP-0313): the account's own and the groups'; pages of them, searches (XEP-0431), and the inbox (XEP-0430). */
import type { Address } from '../../api/model';
import { Forgotten, Unreachable, type Archive, type Found, type Query } from '../../history/archive';
import type { Said } from '../../history/facts';
import * as jid from '../../xmpp/jid';
import { NS } from '../../xmpp/ns';
import { StanzaError, type Session } from '../../xmpp/session';
import { el, type El } from '../../xmpp/xml';
import { stampOf } from '../delay';
import { filled } from '../forms';
import { readMessage, type Reader } from './read';

/** Conversations of one page of the inbox: more than a list shows at once. */
const INBOX_PAGE = 200;

/** A conversation as the inbox has it. */
export interface InboxEntry {
  conversation: Address;
  unread: number;
  last?: Said;
}

/** What a request is answered with, besides its result. */
interface Collecting {
  archive: Address;
  max: number;
  found: { result: El; entry?: El }[];
}

export interface SearchResult {
  said: Said[];
  /** Where the next, older page begins. */
  more?: string;
}

export class Mam implements Archive {
  private readonly collecting = new Map<string, Collecting>();
  private count = 0;

  constructor(
    private readonly session: Session,
    private readonly reader: Reader,
  ) {}

  /** Takes a message that is a result of one of our queries. */
  receive(message: El): boolean {
    const result = message.child('result', NS.mam);
    const entry = message.child('entry', NS.inbox);
    const id = result?.attrs.queryid;
    if (!result && !entry) return false;
    const query = this.collecting.get(id ?? '');
    // Whoever else sends results is not asked.
    const from = jid.prepared(message.attrs.from ?? this.reader.address);
    if (query && result && from === query.archive && query.found.length < query.max) {
      query.found.push({ result, ...(entry && { entry }) });
    }
    return true;
  }

  async query(query: Query): Promise<Found> {
    const { archive, after, before, max } = query;
    const fields: Record<string, string> = {};
    if (query.with !== undefined) fields.with = query.with;
    if (query.start !== undefined) fields.start = new Date(query.start).toISOString();
    const set = el(
      'set',
      { xmlns: NS.rsm },
      el('max', {}, String(max)),
      after !== undefined && el('after', {}, after),
      before !== undefined && el('before', {}, before),
    );
    const { found, fin } = await this.ask(archive, fields, set, max);
    const said = found.flatMap(({ result }) => this.read(result, archive) ?? []);
    const { first, last } = ends(fin, found);
    return { said, complete: fin.attrs.complete === 'true', first, last };
  }

  /** The newest hits first; `before` is where the page before ended. */
  async search(text: string, archive: string, who: Address | undefined, before = '', max = 30): Promise<SearchResult> {
    const fields: Record<string, string> = { [`{${NS.fulltext}}fulltext`]: text };
    if (who !== undefined) fields.with = who;
    // What was said in small private groups is in the account's archive as well (docs/groups.md).
    else if (archive === '') fields['include-groupchat'] = 'true';
    const set = el('set', { xmlns: NS.rsm }, el('max', {}, String(max)), el('before', {}, before));
    const { found, fin } = await this.ask(archive, fields, set, max);
    const said = found.flatMap(({ result }) => this.read(result, archive) ?? []).reverse();
    const { first } = ends(fin, found);
    return { said, ...(fin.attrs.complete !== 'true' && first !== undefined && { more: first }) };
  }

  /** All conversations with what is unread in them (XEP-0430), the latest first. Rejects where there is no inbox. */
  async inbox(): Promise<InboxEntry[]> {
    const queryid = this.begin('', INBOX_PAGE);
    // The inbox names its results by the id of the request.
    const set = el('set', { xmlns: NS.rsm }, el('max', {}, String(INBOX_PAGE)));
    const request = el('iq', { type: 'get', id: queryid }, el('inbox', { xmlns: NS.inbox, queryid }, set));
    try {
      const collecting = this.collecting.get(queryid)!;
      const asked = this.session.iq(request);
      // The stream gives requests an id of its own.
      const given = request.attrs.id;
      if (given !== undefined) this.collecting.set(given, collecting);
      await asked.finally(() => given !== undefined && this.collecting.delete(given));
      return collecting.found.flatMap(({ result, entry }) => this.readInbox(result, entry) ?? []);
    } finally {
      this.collecting.delete(queryid);
    }
  }

  private readInbox(result: El, entry: El | undefined): InboxEntry | undefined {
    const conversation = entry?.attrs.jid;
    if (!entry || conversation === undefined) return undefined;
    const address = this.reader.isGroup(jid.bare(conversation)) ? conversation : jid.prepared(conversation);
    const archive = this.reader.isGroup(address) ? address : '';
    const last = this.read(result, archive);
    const unread = Math.max(0, Number(entry.attrs.unread) || 0);
    return { conversation: address, unread, ...(last?.conversation === address && { last }) };
  }

  private begin(archive: string, max: number): string {
    const queryid = `q${++this.count}`;
    this.collecting.set(queryid, { archive: archive === '' ? this.reader.address : archive, max, found: [] });
    return queryid;
  }

  private async ask(archive: string, fields: Record<string, string>, set: El, max: number) {
    const queryid = this.begin(archive, max);
    const form = Object.keys(fields).length > 0 ? filled(NS.mam, fields) : undefined;
    const query = el('query', { xmlns: NS.mam, queryid }, form, set);
    try {
      const answer = await this.session.iq(el('iq', { type: 'set', to: archive || undefined }, query));
      const fin = answer.child('fin', NS.mam);
      if (!fin) throw new Unreachable('no end');
      return { fin, found: this.collecting.get(queryid)!.found };
    } catch (error) {
      if (error instanceof StanzaError) {
        throw error.condition === 'item-not-found'
          ? new Forgotten()
          : new Unreachable(error.condition, { cause: error });
      }
      throw error;
    } finally {
      this.collecting.delete(queryid);
    }
  }

  /** A result as a fact. In a group's archive everything is the group's; in one's own, groups have no say. */
  private read(result: El, archive: string): Said | undefined {
    const forwarded = result.child('forwarded', NS.forward);
    const message = forwarded?.child('message', NS.client);
    if (!forwarded || !message) return undefined;
    const group = message.attrs.type === 'groupchat';
    // The id of a pointer in one's own log is not that of the group's archive: that one stands in the message.
    const id = group && archive === '' ? undefined : result.attrs.id;
    const way = { at: stampOf(forwarded) ?? stampOf(message), forwarded: true, ...(id !== undefined && { id }) };
    const said = readMessage(message, this.reader, way);
    if (said && archive !== '' && said.conversation !== archive) return undefined;
    return said;
  }
}

/** XEP-0059: the outermost ids; of what came, if the server does not say. */
function ends(fin: El, found: { result: El }[]): { first?: string; last?: string } {
  const set = fin.child('set', NS.rsm);
  const first = set?.childText('first') || found[0]?.result.attrs.id;
  const last = set?.childText('last') || found.at(-1)?.result.attrs.id;
  return { ...(first !== undefined && { first }), ...(last !== undefined && { last }) };
}

/** The newest id of the account's archive when it was bound (XEP-0313 §5): null if empty, undefined if it is not said. */
export function archiveEnd(bound: El | undefined): string | null | undefined {
  const metadata = bound?.child('metadata', NS.mam);
  if (!metadata) return undefined;
  return metadata.child('end')?.attrs.id ?? null;
}
