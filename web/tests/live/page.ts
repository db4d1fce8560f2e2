/** A page with its engine, in this process: for live tests. */
import { expect } from 'vitest';
import type { Api, Snapshot } from '../../src/api/api';
import type { Event } from '../../src/api/events';
import type { Address, Contact, Conversation, Message } from '../../src/api/model';
import { apiFor } from '../../src/engine/api';
import { Engine } from '../../src/engine/engine';
import { makeMessages } from '../../src/engine/messages/messages';
import type { Server } from './server';
import { Network } from './socket';

export const PASSWORD = 'korrekt Pferd Batterie';
export const PATIENCE = { timeout: 15_000, interval: 20 };

export class TalkingPage {
  readonly network = new Network();
  readonly engine: Engine;
  readonly api: Api;
  readonly events: Event[] = [];
  readonly rows = new Map<Address, Conversation>();
  /** What there was when it attached. */
  snapshot: Snapshot | undefined;

  /** With `keeps`, what is kept outlives the page, where the test has an IndexedDB. */
  constructor(server: Pick<Server, 'domain' | 'url' | 'websocket'>, keeps = false) {
    const config = {
      domain: server.domain,
      groups: `groups.${server.domain}`,
      websocket: server.websocket,
      origin: server.url,
    };
    this.engine = new Engine({ config, keeps, conversations: makeMessages, connect: this.network.connect });
    this.api = apiFor(this.engine);
  }

  /** Servers that give no numbers want a name. */
  async signUp(nick: string, name?: string): Promise<this> {
    await this.attach();
    await this.api.signUp({ nick, name, password: PASSWORD, place: 'own' });
    return this;
  }

  async signIn(user: string): Promise<this> {
    await this.attach();
    await this.api.signIn({ user, password: PASSWORD, place: 'own' });
    return this;
  }

  async attach(): Promise<void> {
    this.snapshot = await this.api.attach((events) => {
      this.events.push(...events);
      for (const event of events) this.hear(event);
    });
  }

  private hear(event: Event): void {
    if (event.type === 'signed-in') for (const row of event.snapshot.conversations) this.rows.set(row.address, row);
    if (event.type !== 'conversations') return;
    for (const row of event.changed) this.rows.set(row.address, row);
    for (const address of event.removed) this.rows.delete(address);
  }

  get address(): Address {
    return this.engine.signedIn.me.address;
  }

  contact(address: Address): Contact | undefined {
    return this.engine.signedIn.roster.get(address);
  }

  /** The last event of a type that fits, once there is one. */
  async event<T extends Event['type']>(
    type: T,
    fits: (event: Extract<Event, { type: T }>) => boolean = () => true,
  ): Promise<Extract<Event, { type: T }>> {
    const find = () =>
      this.events.findLast((event): event is Extract<Event, { type: T }> => {
        return event.type === type && fits(event as Extract<Event, { type: T }>);
      });
    await expect.poll(find, PATIENCE).toBeDefined();
    return find()!;
  }

  /** The newest messages of a conversation. */
  async latest(address: Address, limit = 50): Promise<Message[]> {
    return (await this.api.history(address, { latest: true }, limit)).messages;
  }

  /** All of a conversation, read back page by page. */
  async all(address: Address): Promise<Message[]> {
    let page = await this.api.history(address, { latest: true }, 50);
    const messages = [...page.messages];
    while (!page.atStart && messages[0]) {
      page = await this.api.history(address, { before: messages[0].key }, 50);
      // The start may be proven by an empty page.
      if (page.cutBefore || (page.messages.length === 0 && !page.atStart)) throw new Error('cut');
      messages.unshift(...page.messages);
    }
    return messages;
  }

  /** The message with this text, once it is there and fits. */
  async message(address: Address, body: string, fits: (message: Message) => boolean = () => true): Promise<Message> {
    let found: Message | undefined;
    await expect
      .poll(async () => (found = (await this.latest(address)).find((one) => one.body === body && fits(one))), PATIENCE)
      .toBeDefined();
    return found!;
  }
}

/** Two who see each other. */
export async function befriend(one: TalkingPage, other: TalkingPage): Promise<void> {
  await one.api.addContact(other.address, { remark: '', categories: [], text: '' });
  await expect.poll(() => other.engine.signedIn.requests.contacts.length, PATIENCE).toBeGreaterThan(0);
  await other.api.answerRequest(one.address, true);
  for (const [who, whom] of [
    [one, other],
    [other, one],
  ] as const) {
    await expect.poll(() => who.engine.signedIn.roster.get(whom.address)?.subscription, PATIENCE).toBe('both');
  }
}
