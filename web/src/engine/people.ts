/** Who somebody is: cards, the directory (XEP-0055), the list of public groups; and one's own card and nick. */
import type { Address, Card, Contact } from '../api/model';
import * as jid from '../xmpp/jid';
import { NS } from '../xmpp/ns';
import { StanzaError } from '../xmpp/session';
import { el, type El } from '../xmpp/xml';
import { changeCard, readCard } from './card';
import { COMMAND, type Commands } from './commands';
import type { Context } from './context';
import { filled, formIn, isTrue } from './forms';
import type { Panels } from './panel';
import type { Pictures } from './pictures';
import type { Roster } from './roster';
import type { Rooms } from './rooms';

/** Groups that one search looks through: pages of the service's list. */
const GROUP_PAGES = 5;

/** An address: letters and digits of any script, and the little that is usual between them. */
const ADDRESS = /^[^\s"&'/:<>@]+(@[^\s"&'/:<>@]+)?$/;

export class People {
  constructor(
    private readonly context: Context,
    private readonly commands: Commands,
    private readonly roster: Roster,
    private readonly rooms: Rooms,
    private readonly panels: Panels,
    private readonly pictures: Pictures,
  ) {
    context.pep.on(NS.nick, ({ from, items }) => {
      const nick = items[0]?.payload.text() ?? '';
      if (from === context.address) this.changeMe({ nick });
      else this.roster.note(from, { nick });
    });
    context.pep.on(NS.avatarMetadata, ({ from, items }) => {
      const avatar = items[0]?.payload.child('info')?.attrs.id;
      if (from === context.address) this.changeMe({ avatar });
      else this.roster.note(from, { avatar });
    });
  }

  private changeMe(change: { nick?: string; avatar?: string | undefined }): void {
    Object.assign(this.context.me, change);
    this.context.emit({ type: 'me', me: { ...this.context.me } });
  }

  async card(address: Address): Promise<Card> {
    if (this.rooms.isGroup(address)) return this.groupCard(address);
    const [item] = await this.context.pep.items(NS.vcard4Node, address).catch(absent);
    const contact: Partial<Contact> = this.roster.get(address) ?? {};
    const { me } = this.context;
    const own = address === this.context.address ? { nick: me.nick, avatar: me.avatar, number: me.number } : {};
    const fields = item ? readCard(item.payload) : {};
    return {
      address,
      kind: 'person',
      ...named(address),
      about: '',
      interests: [],
      ...fields,
      nick: contact.nick || own.nick || fields.nick || '',
      avatar: contact.avatar ?? own.avatar,
      ...(own.number && { number: own.number }),
    };
  }

  private async groupCard(address: Address): Promise<Card> {
    const facts = await this.panels.readFacts(address);
    return {
      address,
      kind: 'group',
      ...named(address),
      nick: facts.name,
      avatar: facts.avatar,
      about: facts.about,
      interests: [],
      members: facts.occupants,
    };
  }

  /**
   * Who an input means. What the directory does not tell may exist nevertheless (docs/privacy.md): then the card says no more
   * than the address. A group that does not exist is `item-not-found`.
   */
  async lookUp(input: string): Promise<Card> {
    const text = jid.prepared(
      input
        .trim()
        .replace(/^xmpp:/i, '')
        .split('?', 1)[0] ?? '',
    );
    if (!ADDRESS.test(text)) throw new StanzaError('item-not-found');
    const { domain, groups } = this.context.config;
    if (text.endsWith(`@${groups}`)) return this.groupCard(text);
    const person = text.includes('@') ? text : `${text}@${domain}`;
    const number = jid.number(person);
    // Numbers of groups begin where those of accounts end (docs/groups.md), and names can be both.
    const [found, group] = await Promise.all([
      this.search({ address: person }).catch(() => []),
      text.includes('@') ? undefined : this.groupCard(`${text}@${groups}`).catch(() => undefined),
    ]);
    if (found[0]) return { ...(await this.card(found[0].address)), ...nonEmpty(found[0]) };
    if (group) return group;
    return { ...(await this.card(person)), ...(number && { number }) };
  }

  findPeople(words: string): Promise<Card[]> {
    return this.search({ nick: words });
  }

  private async search(values: Record<string, string>): Promise<Card[]> {
    const { session, config } = this.context;
    const query = el('query', { xmlns: NS.search }, filled(NS.search, values));
    const answer = await session.iq(el('iq', { type: 'set', to: config.domain }, query));
    const results = answer.child('query', NS.search);
    const form = results && formIn(results);
    return (form?.rows ?? []).map((row): Card => {
      const address = jid.prepared(row.jid?.[0] ?? '');
      return {
        address,
        kind: 'person',
        ...named(address),
        ...(row.number?.[0] && { number: row.number[0] }),
        nick: row.nick?.[0] ?? '',
        avatar: this.roster.get(address)?.avatar,
        about: '',
        interests: (row.interests?.[0] ?? '').split(', ').filter((interest) => interest !== ''),
        online: isTrue(row.online?.[0]),
      };
    });
  }

  /** Public groups whose name or address has all of these words. */
  async findGroups(words: string): Promise<Card[]> {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    const found: Card[] = [];
    let after: string | undefined;
    for (let page = 0; page < GROUP_PAGES; page++) {
      const items = await this.groupPage(after);
      for (const { attrs } of items.all('item')) {
        const address = jid.prepared(attrs.jid ?? '');
        const name = attrs.name ?? '';
        const text = `${name} ${address}`.toLowerCase();
        if (wanted.every((word) => text.includes(word))) {
          found.push({ address, kind: 'group', ...named(address), nick: name, about: '', interests: [] });
        }
      }
      const set = items.child('set', NS.rsm);
      const last = set?.childText('last');
      if (!last || last === after) break;
      after = last;
    }
    return found;
  }

  private async groupPage(after: string | undefined): Promise<El> {
    const { session, config } = this.context;
    const rsm = el('set', { xmlns: NS.rsm }, el('max', {}, '500'), after !== undefined && el('after', {}, after));
    const query = el('query', { xmlns: NS.discoItems }, rsm);
    const answer = await session.iq(el('iq', { type: 'get', to: config.groups }, query));
    return answer.child('query', NS.discoItems) ?? query;
  }

  async setProfile(change: Partial<Card>): Promise<void> {
    const { pep } = this.context;
    const [item] = await pep.items(NS.vcard4Node).catch(absent);
    await pep.publish(NS.vcard4Node, item?.id ?? 'current', changeCard(item?.payload, change));
    if (change.nick === undefined) return;
    await pep.publish(NS.nick, 'current', el('nick', { xmlns: NS.nick }, change.nick));
    // The server's own word for us, where it has one.
    await this.commands.run(COMMAND.nick, { nick: change.nick }).catch(() => {});
    this.changeMe({ nick: change.nick });
  }

  async setAvatar(picture: { blob: Blob; width: number; height: number } | null): Promise<void> {
    this.changeMe({ avatar: await this.pictures.set(picture) });
  }
}

/** Name and number, as far as an address tells them. */
function named(address: Address): { number?: string; name?: string } {
  const number = jid.number(address);
  return number === undefined ? { name: jid.local(address) } : { number };
}

function nonEmpty(card: Card): Partial<Card> {
  const entries = Object.entries(card).filter(
    ([, value]) => value !== undefined && value !== '' && String(value) !== '',
  );
  return Object.fromEntries(entries) as Partial<Card>;
}

/** What is not there, or not for us. */
function absent(error: unknown): never[] {
  if (error instanceof StanzaError && error.stanza) return [];
  throw error;
}
