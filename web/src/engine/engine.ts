/**
 * The engine: signs in and out, and tells every tab what happens. Lives in the shared worker, or in the page. What belongs to
 * the account that is signed in is in `Account`; this stays when it goes.
 */
import { ApiError, type Api, type Snapshot } from '../api/api';
import type { Event, Listener } from '../api/events';
import type { Address, Entrant, Me, Place } from '../api/model';
import * as jid from '../xmpp/jid';
import { AuthError, type Agent, type Credentials, type Token } from '../xmpp/negotiation';
import { Stream } from '../xmpp/stream';
import type { Connect } from '../xmpp/wire';
import { Account } from './account';
import { Batch } from './batch';
import type { ServerConfig } from './context';
import type { MakeConversations } from './conversations';
import { MemoryVault, type Vault } from './vault';

export interface EngineOptions {
  config: ServerConfig;
  conversations: MakeConversations;
  /** Something may be kept on this computer. */
  keeps: boolean;
  /** What the device list calls this computer. */
  device?: string;
  connect?: Connect;
  /** What is kept here, where it is being opened already. */
  vault?: Promise<Vault>;
}

/** Who is remembered on this computer. */
interface Remembered {
  address: Address;
  nick: string;
  /** What the server knows the installation by (XEP-0388). */
  agent: string;
  token: Token;
}

const REMEMBERED = 'remembered';
/** Milliseconds that the page waits for the list after signing in; what is late comes as events. */
const PATIENCE = 8_000;
/** How long a pass is good: the server says when it is not. */
const PASS_LIFE = 120_000;
/** Milliseconds that signing out waits for the server: what is here goes in any case. */
const FAREWELL = 3_000;

/** A tab that is attached. */
export interface Tab {
  listener?: Listener;
  /** Somebody looks at it; so it is with a tab that has said nothing yet. */
  visible: boolean;
  conversation?: Address;
}

/** What is asked for seldom is loaded when it is. */
export async function errands(): Promise<typeof import('./errands')> {
  return import('./errands').catch((error: unknown) => {
    throw new ApiError('offline', String(error));
  });
}

/** Opens what is kept on this computer, or begins with nothing. */
export function openVault(keeps: boolean): Promise<Vault> {
  return keeps && typeof indexedDB !== 'undefined'
    ? import('./kept').then(({ StoredVault }) => StoredVault.open())
    : Promise.resolve(new MemoryVault());
}

type Ended = Extract<Event, { type: 'signed-out' }>['reason'];

/** What the server says why it has ended a session. */
const WHY: Record<string, Ended> = {
  account: 'account',
  administrator: 'administrator',
  password: 'password',
  time: 'time',
};

export class Engine {
  account: Account | undefined;
  private readonly tabs = new Set<Tab>();
  private readonly batch = new Batch((events) => this.deliver(events));
  private vault: Promise<Vault> | undefined;
  /** Somebody signs out: that the server ends the session is meant. */
  private leaving = false;
  /** Somebody is signing in: events are for when it is done. */
  private entering = false;

  constructor(private readonly options: EngineOptions) {
    this.vault = options.vault;
  }

  get config(): ServerConfig {
    return this.options.config;
  }

  /** The account, for whatever needs one. */
  get signedIn(): Account {
    if (!this.account || this.entering) throw new ApiError('not-signed-in');
    return this.account;
  }

  // --- tabs

  async attach(tab: Tab, listener: Listener): Promise<Snapshot> {
    const remembered = await this.remembered().catch(() => undefined);
    // What has happened until now is in the snapshot; others hear it.
    this.batch.flush();
    tab.listener = listener;
    this.tabs.add(tab);
    if (this.account && !this.entering) return this.account.snapshot();
    return {
      signedIn: false,
      ...(remembered && { remembered: { address: remembered.address, nick: remembered.nick } }),
      connection: { state: 'offline' },
      contacts: [],
      conversations: [],
      requests: [],
      invitations: [],
    };
  }

  detach(tab: Tab): void {
    this.tabs.delete(tab);
    this.look();
  }

  focus(tab: Tab, { visible, conversation }: Parameters<Api['focus']>[0]): void {
    tab.visible = visible;
    tab.conversation = conversation;
    this.look();
  }

  /** What somebody looks at, in whatever tab. */
  private look(): void {
    const seen = [...this.tabs].filter((tab) => tab.visible);
    this.account?.stream.setActive(seen.length > 0);
    const watched = new Set(seen.flatMap((tab) => tab.conversation ?? []));
    this.account?.conversations.watched(watched);
  }

  private emit(event: Event): void {
    if (!this.entering) this.batch.add(event);
  }

  private deliver(events: Event[]): void {
    for (const tab of this.tabs) tab.listener?.(events);
  }

  // --- coming

  async signIn({ user, password = '', pass, place }: Entrant): Promise<void> {
    const local = this.localOf(user);
    if (!pass) return void (await this.enterWith({ user: local, secret: { password } }, place));
    // As if it were old: it is exchanged for another at once.
    const token = { token: pass.token, issued: 0, expires: Date.now() + PASS_LIFE };
    await this.enterWith({ user: local, token }, place, pass.agent);
  }

  /** Signs in, and shows what there is when the list is there. */
  async enterWith(credentials: Credentials, place: Place, agent?: string): Promise<Account> {
    this.begin();
    let account: Account | undefined;
    try {
      this.agentId = agent ?? (await this.agent(place));
      account = await this.make(place, this.agentId, credentials.token !== undefined);
      const { stream, live } = account;
      const over = new Promise<never>((_, reject) => stream.on('ended', reject));
      await Promise.race([stream.start(credentials, false), over]);
      await Promise.race([live, over, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
      await this.remember(account);
    } catch (error) {
      await this.discard(account);
      throw signInError(error);
    }
    this.entered();
    return account;
  }

  async signUp(who: Parameters<Api['signUp']>[0]): Promise<Me> {
    if (this.account) await this.signOut('asked');
    const { nick, password, name, invitation, place } = who;
    const { signUp } = await errands();
    const user = await signUp(
      { url: this.url, domain: this.config.domain, connect: this.options.connect },
      { nick, password, name, invitation },
    ).catch((error: unknown) => {
      throw signInError(error);
    });
    await this.signIn({ user, password, place });
    const { account } = this;
    // Contacts hear of a nick by its node, which signing up does not make.
    await account?.people.setProfile({ nick }).catch(() => {});
    return { ...this.signedIn.me };
  }

  /** With the token that is kept here; shows what was kept at once. Several tabs may want it at the same time. */
  signInRemembered(): Promise<void> {
    this.remembering ??= this.comeBack().finally(() => (this.remembering = undefined));
    return this.remembering;
  }
  private remembering: Promise<void> | undefined;

  private async comeBack(): Promise<void> {
    if (this.account) return;
    const remembered = await this.remembered();
    if (!remembered) throw new ApiError('not-signed-in');
    this.begin();
    let account: Account | undefined;
    try {
      account = await this.make('own', remembered.agent);
      await account.restore(remembered.address);
    } catch (error) {
      await this.discard(account);
      throw error;
    }
    account.me.nick ||= remembered.nick;
    const credentials: Credentials = { user: jid.local(remembered.address), token: remembered.token };
    account.stream.start(credentials, true).catch(() => {});
    this.entered();
  }

  private begin(): void {
    if (this.account) throw new ApiError('conflict');
    if (this.entering) throw new ApiError('wait');
    if (!globalThis.crypto?.subtle) throw new ApiError('insecure');
    this.entering = true;
  }

  private entered(): void {
    this.batch.flush();
    this.entering = false;
    this.look();
    const { account } = this;
    if (account) this.deliver([{ type: 'signed-in', snapshot: account.snapshot() }]);
  }

  /** `tokens`: who came with a token needs others, also where nothing is kept. */
  private async make(place: Place, id: string, tokens = false): Promise<Account> {
    const { config, conversations, connect, device = '' } = this.options;
    const agent: Agent = { id, software: 'Rookery', device, public: place === 'public' };
    const keeps = place === 'own' && this.options.keeps;
    const stream = new Stream({ url: this.url, domain: config.domain, agent, keepToken: keeps || tokens, connect });
    const vault = keeps ? await this.open() : new MemoryVault();
    const account = new Account(stream, {
      config,
      place,
      vault,
      conversations,
      emit: (event) => this.emit(event),
    });
    this.account = account;
    stream.on('phase', (connection) => {
      account.connection = connection;
      this.emit({ type: 'connection', connection });
    });
    stream.on('token', (token) => void this.keepToken(token));
    stream.on('ended', (error) => void this.ended(account, error));
    return account;
  }

  /** Nobody has come in. */
  private async discard(account: Account | undefined): Promise<void> {
    this.entering = false;
    this.account = undefined;
    await account?.stop(false);
  }

  // --- going

  /** The server has ended it, or refuses us. */
  private async ended(account: Account, error: AuthError): Promise<void> {
    if (this.account !== account || this.entering || this.leaving) return;
    // The same client elsewhere has taken over (a tab of another build): that is no reason to forget anything.
    if (error.condition === 'conflict') return;
    const refused = account.me.place === 'own' ? 'expired' : 'password';
    await this.signOut(error.ended ? (WHY[error.why] ?? 'elsewhere') : refused);
  }

  async signOut(reason: Ended): Promise<void> {
    const { account } = this;
    if (!account) return;
    this.leaving = true;
    if (reason === 'asked') await this.revoke(account).catch(() => {});
    this.leaving = false;
    this.account = undefined;
    await account.stop(true).catch(() => {});
    if (account.me.place === 'own') await this.forget();
    this.batch.flush();
    this.deliver([{ type: 'signed-out', reason }]);
  }

  /** A newer build of the engine runs: this one lets go of everything, and forgets nothing. */
  async outdated(): Promise<void> {
    const { account } = this;
    this.account = undefined;
    await account?.stop(false);
    this.batch.flush();
    this.deliver([{ type: 'outdated' }]);
  }

  /** The server forgets this device (docs/devices.md), or at least its token (XEP-0484 §3.5). */
  private async revoke(account: Account): Promise<void> {
    if (account.stream.online && (await account.devices.leave(FAREWELL))) return;
    const remembered = account.me.place === 'own' ? await this.remembered() : undefined;
    if (!remembered) return;
    await Promise.race([account.stream.invalidateToken(), new Promise((resolve) => setTimeout(resolve, FAREWELL))]);
  }

  private async forget(): Promise<void> {
    const vault = await this.open();
    this.vault = undefined;
    await vault.wipe();
  }

  // --- what is remembered

  private open(): Promise<Vault> {
    return (this.vault ??= openVault(this.options.keeps));
  }

  private async remembered(): Promise<Remembered | undefined> {
    if (!this.options.keeps) return undefined;
    const remembered = await (await this.open()).get<Remembered>(REMEMBERED);
    if (!remembered || remembered.token.expires > Date.now()) return remembered;
    // Nobody comes back to what is kept here.
    await this.forgetAll(remembered);
    return undefined;
  }

  private async forgetAll({ agent, address }: Remembered): Promise<void> {
    const account = await this.make('own', agent);
    this.account = undefined;
    // What is wiped goes by its owner's address.
    await account.restore(address).catch(() => {});
    await account.stop(true);
    await this.forget();
  }

  private async agent(place: Place): Promise<string> {
    const known = place === 'own' ? await this.remembered() : undefined;
    return known?.agent ?? crypto.randomUUID();
  }

  private agentId = '';
  private token: Token | undefined;

  private async keepToken(token: Token): Promise<void> {
    this.token = token;
    const remembered = await this.remembered();
    if (remembered) await (await this.open()).set(REMEMBERED, { ...remembered, token });
  }

  private async remember(account: Account): Promise<void> {
    const { token, agentId: agent } = this;
    if (!this.options.keeps || account.me.place !== 'own' || !token) return;
    const { address, nick } = account.me;
    const remembered: Remembered = { address, nick, agent, token };
    await (await this.open()).set(REMEMBERED, remembered);
  }

  // --- addresses

  private get url(): string {
    const { websocket, origin } = this.config;
    const url = new URL(websocket, origin);
    url.protocol = url.protocol.replace('http', 'ws');
    return url.href;
  }

  /** What stands before the `@` of what somebody types: a number, a name, an address here. */
  private localOf(user: string): string {
    const text = user.trim().toLowerCase();
    if (!text.includes('@')) return text;
    if (jid.domain(text) !== this.config.domain) throw new ApiError('host-unknown', '', { domain: jid.domain(text) });
    return jid.local(text);
  }
}

function signInError(error: unknown): unknown {
  if (error instanceof AuthError)
    return new ApiError(error.condition, error.condition === error.message ? '' : error.message);
  return error;
}
