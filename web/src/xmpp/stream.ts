/**
 * The session over its connections: signs in, resumes, tries again. See `Session` for what it promises.
 *
 * One loop (`run`) owns the connection: it connects, hands the wire's elements to `receive` until the wire ends, and waits before
 * the next attempt. Everything else only sends, or asks the loop to hurry or to stop.
 */
import { random, utf8 } from './bytes';
import { Emitter } from './emitter';
import { Management } from './management';
import {
  AuthError,
  negotiate,
  type Agent,
  type Credentials,
  type Outcome,
  type Token,
  type Wishes,
} from './negotiation';
import { NS } from './ns';
import {
  type Answerer,
  type Fate,
  type Features,
  type Session,
  type SessionEvents,
  readError,
  StanzaError,
} from './session';
import { browserSocket, Wire, WireError, type Connect } from './wire';
import { el, type El } from './xml';

export interface StreamOptions {
  /** Of the WebSocket. */
  url: string;
  domain: string;
  agent: Agent;
  /** Ask for tokens, so that the password is not needed again. */
  keepToken: boolean;
  connect?: Connect;
}

export type Phase = { state: 'offline' } | { state: 'connecting' } | { state: 'online'; resumed: boolean } | Waiting;
interface Waiting {
  state: 'waiting';
  /** Milliseconds since 1970. */
  retryAt: number;
}

export interface StreamEvents extends SessionEvents {
  phase(phase: Phase): void;
  /** A new token, to be kept where the place allows. */
  token(token: Token): void;
  /** It will not be tried again: `conflict` where another has taken the session's place. */
  ended(reason: AuthError): void;
}

/** Milliseconds before the second attempt; doubles up to the longest. */
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;
const REQUEST_TIMEOUT = 30_000;
/** How often it is looked whether the connection lives, after how much silence it is asked, and how long it may take. */
const TICK = 5_000;
const SILENCE = 60_000;
const PATIENCE = 15_000;
const SHORT_PATIENCE = 5_000;
/** Stanzas after which an acknowledgement is asked for though nobody waits for it. */
const ACK_EVERY = 20;

/** Stream errors after which trying again is wrong: it is meant. */
const FINAL = new Set(['conflict', 'not-authorized', 'host-unknown', 'reset']);

/**
 * A conflict comes of a connection of our own that we had given up: what it had sent was held up on its way, and the server has
 * signed it in after the one that followed it. So often in a row it is forgiven, with less than this (milliseconds) from one to the
 * next: two that keep throwing each other out must end.
 */
const HAUNTED = 60_000;
const MAX_GHOSTS = 5;

interface Request {
  resolve: (answer: El) => void;
  reject: (error: StanzaError) => void;
  timer: ReturnType<typeof setTimeout>;
}

export class Stream implements Session {
  me = '';
  online = false;
  features: Features = { rosterVersion: false, carbons: false, csi: false, resumption: false };
  bound: El | undefined;

  private readonly events = new Emitter<StreamEvents>();
  private readonly management = new Management();
  private managed = false;
  private readonly requests = new Map<string, Request>();
  private readonly answerers = new Map<string, Answerer>();
  private readonly stopping = new AbortController();
  private wire: Wire | undefined;
  private credentials: Credentials = { user: '' };
  private active = true;
  private failures = 0;
  private wake: (() => void) | undefined;
  private phase: Phase = { state: 'offline' };
  private running = false;

  private heard = 0;
  /** Until when something must be heard. */
  private deadline: number | undefined;
  private ticked = 0;
  private pinging: Promise<Fate> | undefined;
  private asking: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: StreamOptions) {
    this.answer('ping', NS.ping, () => undefined);
  }

  on<K extends keyof StreamEvents>(event: K, listener: StreamEvents[K]): () => void {
    return this.events.on(event, listener);
  }

  answer(name: string, ns: string, handler: Answerer): void {
    this.answerers.set(`${name} ${ns}`, handler);
  }

  /**
   * Signs in and stays so. Resolves when it is online for the first time. Rejects with `AuthError` if it is refused, and unless
   * `patient` with `WireError` if there is no connection; patient ones try until it is there.
   */
  start(credentials: Credentials, patient: boolean): Promise<void> {
    this.credentials = credentials;
    this.running = true;
    return new Promise((resolve, reject) => void this.run(patient, resolve, reject));
  }

  /** Tries at once what it would wait for; if it is online, makes sure of it. */
  reconnect(): void {
    this.failures = 0;
    if (this.wake !== undefined) this.wake();
    else if (this.online) this.probe(SHORT_PATIENCE);
  }

  /** Ends the session; it cannot be resumed. */
  stop(): void {
    if (!this.running) return;
    this.running = false;
    if (this.online && this.managed) this.wire?.send(el('a', { xmlns: NS.sm, h: this.management.received }));
    this.wire?.close();
    this.stopping.abort();
    this.wake?.();
    this.disconnected();
    this.abandon();
    this.tell({ state: 'offline' });
  }

  /** Whether somebody looks (XEP-0352). */
  setActive(active: boolean): void {
    if (active === this.active) return;
    this.active = active;
    if (this.online) this.sendState();
  }

  send(stanza: El, settled?: (fate: Fate) => void): void {
    const keeps = this.managed && (this.online || this.management.id !== undefined);
    if (!this.running || !(keeps || this.online)) return settled?.('lost');
    const text = stanza.toString();
    // XEP-0478: the server would end the stream, and be sent the same again when it is resumed.
    if (exceeds(text, this.features.maxBytes)) return settled?.('refused');
    if (keeps && !this.management.keep(text, settled)) return settled?.('lost');
    if (!this.online) return;
    this.wire?.sendText(text);
    if (keeps) this.askSoon();
    else if (settled && stanza.name !== 'iq') this.settleByPing(settled);
  }

  iq(request: El, timeout = REQUEST_TIMEOUT): Promise<El> {
    const id = random(9);
    request.attrs.id = id;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.settle(id)?.reject(new StanzaError('timeout', 'wait')), timeout);
      this.requests.set(id, { resolve, reject, timer });
      this.send(request, (fate) => {
        if (fate === 'lost') this.settle(id)?.reject(new StanzaError('offline', 'wait'));
        if (fate === 'refused') this.settle(id)?.reject(new StanzaError('too-large', 'modify'));
      });
    });
  }

  /** Without stream management: what was sent before a ping was handled before its answer (RFC 6120 §10.1). */
  private settleByPing(settled: (fate: Fate) => void): void {
    if (this.pinging) return void this.pinging.then(settled);
    this.pinging = this.ping(REQUEST_TIMEOUT).finally(() => (this.pinging = undefined));
    void this.pinging.then(settled);
  }

  private async run(patient: boolean, begun: () => void, failed: (error: Error) => void): Promise<void> {
    let first = true;
    let begunAt = 0;
    let ghosts = 0;
    while (this.running) {
      this.tell({ state: 'connecting' });
      const error = await this.attempt(() => {
        begunAt = Date.now();
        if (first) begun();
        first = false;
      });
      if (!this.running) break;
      if (first && error instanceof AuthError && !patient) return this.over(error, failed);
      if (error instanceof AuthError && !error.passing) return this.over(error, failed);
      if (first && !patient) return this.over(error, failed);
      const ghost = error instanceof WireError && error.condition === 'conflict';
      if (ghost && Date.now() - begunAt > HAUNTED) ghosts = 0;
      if (error instanceof WireError && FINAL.has(error.condition) && !(ghost && ++ghosts <= MAX_GHOSTS)) {
        return this.over(new AuthError(error.condition, error.message, true, error.why), failed);
      }
      await this.pause();
    }
    failed(new WireError('closed'));
  }

  /** One connection, from its beginning to its end; gives why it ended. */
  private async attempt(online: () => void): Promise<Error> {
    let wire: Wire | undefined;
    try {
      const { url, domain, connect = browserSocket } = this.options;
      wire = this.wire = await Wire.open(connect, url, domain, this.stopping.signal);
      const outcome = await negotiate(wire, domain, this.credentials, this.wishes());
      if (!this.running) return new WireError('closed');
      const ended = new Promise<Error>((resolve) => this.connected(wire!, outcome, online, resolve));
      return await ended;
    } catch (error) {
      wire?.cut('closed');
      return error instanceof Error ? error : new WireError('closed');
    } finally {
      this.disconnected();
    }
  }

  /** Whether this is the password. On a connection of its own; rejects with `AuthError` if not, or `WireError`. */
  async prove(password: string): Promise<void> {
    await this.beside({ user: this.credentials.user, secret: { password } }, {});
  }

  /** Takes over another password, and a token that comes of it: the old ones are void. */
  async renew(password: string): Promise<void> {
    const { user } = this.credentials;
    const { agent, keepToken: token } = this.options;
    const outcome = await this.beside({ user, secret: { password } }, { agent, token });
    this.credentials = { user };
    this.keep(outcome);
  }

  /** Makes the token void, if there is one. */
  async invalidateToken(): Promise<void> {
    const { user, token } = this.credentials;
    if (token) await this.beside({ user, token }, { agent: this.options.agent, invalidate: true });
  }

  /** Signs in beside the session, which goes on. */
  private async beside(credentials: Credentials, wishes: Partial<Wishes>): Promise<Outcome> {
    const { url, domain, connect = browserSocket } = this.options;
    const wire = await Wire.open(connect, url, domain, this.stopping.signal);
    try {
      const usual = { tag: '', token: false, inactive: false, alone: true };
      return await negotiate(wire, domain, credentials, { ...usual, ...wishes });
    } finally {
      wire.close();
    }
  }

  private keep({ keys, token }: Outcome): void {
    if (keys) this.credentials = { ...this.credentials, secret: { keys } };
    if (!token) return;
    this.credentials = { ...this.credentials, token };
    this.events.emit('token', token);
  }

  private wishes() {
    const { id, received } = this.management;
    return {
      agent: this.options.agent,
      tag: this.options.agent.software,
      token: this.options.keepToken,
      inactive: !this.active,
      ...(id !== undefined && { resume: { id, received } }),
    };
  }

  private connected(wire: Wire, outcome: Outcome, online: () => void, ended: (error: Error) => void): void {
    this.keep(outcome);
    this.online = true;
    this.failures = 0;
    this.heard = this.ticked = Date.now();
    this.deadline = undefined;
    this.managed = outcome.managed;
    const resumed = outcome.resumed !== undefined;
    if (resumed) this.goOn(wire, outcome.resumed!);
    else this.beginAnew(outcome);
    const watch = setInterval(() => this.watch(), TICK);
    online();
    this.tell({ state: 'online', resumed });
    this.events.emit(resumed ? 'resumed' : 'fresh');
    wire.handOver(
      (element) => this.receive(element),
      (error) => {
        clearInterval(watch);
        this.disconnected();
        ended(error);
      },
    );
  }

  private goOn(wire: Wire, handled: number): void {
    if (!this.management.acknowledge(handled)) {
      this.abandon();
      throw new WireError('undefined-condition');
    }
    for (const text of this.management.unacknowledged()) wire.sendText(text);
    // XEP-0352 §5: the state is that of the connection.
    if (!this.active) this.sendState();
    if (this.management.waiting > 0) this.askSoon();
  }

  private beginAnew(outcome: Outcome): void {
    if (outcome.handled !== undefined) this.management.acknowledge(outcome.handled);
    this.me = outcome.jid ?? '';
    this.features = outcome.features;
    this.bound = outcome.bound;
    this.abandon(outcome.id);
    if (!this.active) this.sendState();
  }

  /** Nobody will hear of what the session before has sent. */
  private abandon(id?: string): void {
    this.management.reset(id);
    for (const waiting of [...this.requests.keys()]) this.settle(waiting)?.reject(new StanzaError('offline', 'wait'));
  }

  private disconnected(): void {
    this.wire = undefined;
    clearTimeout(this.asking);
    this.asking = undefined;
    if (!this.online) return;
    this.online = false;
    // Without resumption the session has ended with its connection.
    if (this.management.id === undefined) this.abandon();
    this.events.emit('interrupted');
  }

  private over(error: Error, failed: (error: Error) => void): void {
    this.running = false;
    this.abandon();
    this.tell({ state: 'offline' });
    failed(error);
    if (error instanceof AuthError) this.events.emit('ended', error);
  }

  /** Waits before the next attempt: longer each time, and never all clients at once. */
  private async pause(): Promise<void> {
    const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.failures++);
    const wait = longest * (0.3 + 0.7 * Math.random());
    this.tell({ state: 'waiting', retryAt: Date.now() + wait });
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = undefined;
  }

  private tell(phase: Phase): void {
    if (phase.state === this.phase.state && phase.state !== 'waiting') return;
    this.phase = phase;
    this.events.emit('phase', phase);
  }

  private sendState(): void {
    if (this.features.csi) this.wire?.send(el(this.active ? 'active' : 'inactive', { xmlns: NS.csi }));
  }

  // --- what comes in

  private receive(element: El): void {
    this.heard = Date.now();
    this.deadline = undefined;
    if (element.ns === NS.sm) return this.receiveManagement(element);
    if (element.ns !== NS.client) return;
    if (this.managed) this.management.countReceived();
    if (element.name !== 'iq') return this.events.emit('stanza', element);
    const { id = '', type } = element.attrs;
    if (type === 'result') this.settle(id)?.resolve(element);
    else if (type === 'error') this.settle(id)?.reject(readError(element));
    else this.reply(element);
  }

  private receiveManagement(element: El): void {
    if (element.name === 'r') {
      this.wire?.send(el('a', { xmlns: NS.sm, h: this.management.received }));
    } else if (element.name === 'a') {
      if (!this.management.acknowledge(Number(element.attrs.h))) this.wire?.cut('undefined-condition');
    }
  }

  private settle(id: string): Request | undefined {
    const request = this.requests.get(id);
    this.requests.delete(id);
    clearTimeout(request?.timer);
    return request;
  }

  private reply(request: El): void {
    const payload = request.all()[0];
    const { from, id } = request.attrs;
    try {
      const answerer = payload && this.answerers.get(`${payload.name} ${payload.ns}`);
      if (!answerer) throw new StanzaError('service-unavailable');
      this.send(el('iq', { type: 'result', to: from, id }, answerer(request, payload)));
    } catch (error) {
      const { condition, type } = error instanceof StanzaError ? error : new StanzaError('undefined-condition');
      const why = el('error', { type }, el(condition, { xmlns: NS.stanzaErrors }));
      this.send(el('iq', { type: 'error', to: from, id }, why));
    }
  }

  // --- whether the connection lives

  /** Asks for an acknowledgement when the current task is done: one for all that it sends. */
  private askSoon(): void {
    if (this.asking !== undefined) return;
    if (!this.management.awaited && this.management.waiting < ACK_EVERY) return;
    this.asking = setTimeout(() => {
      this.asking = undefined;
      this.probe(PATIENCE);
    }, 0);
  }

  private probe(patience: number): void {
    if (!this.online) return;
    const until = Date.now() + patience;
    this.deadline = this.deadline === undefined ? until : Math.min(this.deadline, until);
    if (this.managed) this.wire?.send(el('r', { xmlns: NS.sm }));
    else void this.ping(patience);
  }

  /** What its answer says of everything that was sent before. An error is an answer, too. */
  private async ping(patience: number): Promise<Fate> {
    try {
      await this.iq(el('iq', { type: 'get' }, el('ping', { xmlns: NS.ping })), patience);
    } catch (error) {
      if (error instanceof StanzaError && error.stanza === undefined) return 'lost';
    }
    return 'acknowledged';
  }

  private watch(): void {
    const now = Date.now();
    // The machine has slept: what was a connection may be none.
    const slept = now - this.ticked > 4 * TICK;
    this.ticked = now;
    if (slept) {
      this.deadline = undefined;
      return this.probe(SHORT_PATIENCE);
    }
    if (this.deadline !== undefined && now > this.deadline) return this.wire?.cut('timeout');
    if (this.deadline === undefined && now - this.heard > SILENCE) this.probe(PATIENCE);
  }
}

function exceeds(text: string, bytes: number | undefined): boolean {
  // A UTF-16 unit takes three bytes at most: short ones need not be measured.
  return bytes !== undefined && text.length * 3 > bytes && utf8(text).length > bytes;
}
