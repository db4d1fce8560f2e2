/**
 * From an open socket to a session: authentication, a resource or the old session, stream management. In one round trip where
 * the server knows SASL2 with Bind2 and FAST (XEP-0388, XEP-0386, XEP-0484, XEP-0198), else step by step (RFC 6120).
 */
import { base64, fromBase64, same, utf8 } from './bytes';
import { NS } from './ns';
import { Scram, ScramError, strongest, TOKEN_MECHANISM, tokenProof, type Keys, type Secret } from './scram';
import type { Features } from './session';
import { Wire, WireError } from './wire';
import { el, type El } from './xml';

/** A token in place of a password (XEP-0484). */
export interface Token {
  token: string;
  /** Milliseconds since 1970. */
  expires: number;
  issued: number;
}

export interface Credentials {
  /** What stands before the `@`: name or number. */
  user: string;
  secret?: Secret;
  token?: Token;
}

/** What the client says of itself (XEP-0388 §2.3); the id makes it a device. */
export interface Agent {
  id: string;
  software: string;
  device: string;
  /** Others use this machine too (docs/devices.md). */
  public: boolean;
}

export interface Wishes {
  /** Without one, what signs in is no device. */
  agent?: Agent;
  /** How the resource begins. */
  tag: string;
  /** Ask for a token. */
  token: boolean;
  inactive: boolean;
  resume?: { id: string; received: number };
  /** Only sign in: neither a resource nor a session comes of it. */
  alone?: boolean;
  /** The token is not to be good any more after this (XEP-0484 §3.5). */
  invalidate?: boolean;
}

export interface Outcome {
  features: Features;
  /** The session goes on; the server has handled this many of our stanzas. */
  resumed?: number;
  /** It cannot go on, but so many were handled. */
  handled?: number;
  /** A new session: its full JID, and the id under which it can be resumed. */
  jid?: string;
  id?: string;
  bound?: El;
  /** Whether stanzas are counted. */
  managed: boolean;
  token?: Token;
  keys?: Keys;
}

/** Signing in was refused. */
export class AuthError extends Error {
  override name = 'AuthError';
  constructor(
    /** A condition of SASL (RFC 6120 §6.5) or of streams; `server-unproven` where it is the server that failed. */
    readonly condition: string,
    text = '',
    /** The session was ended (a stream error), rather than a new one refused. */
    readonly ended = false,
    /** Why it was ended, as `WireError` says. */
    readonly why = '',
  ) {
    super(text || condition);
  }

  /** Whether it may work later with the same credentials. */
  get passing(): boolean {
    return this.condition === 'temporary-auth-failure';
  }
}

/** A token is exchanged for a new one after a day. */
const TOKEN_AGE = 24 * 3600 * 1000;

export async function negotiate(
  wire: Wire,
  domain: string,
  credentials: Credentials,
  wishes: Wishes,
): Promise<Outcome> {
  // XEP-0484 §3.1: some servers offer tokens only to who says who it is.
  const features = await wire.start(credentials.token && `${credentials.user}@${domain}`);
  const entry = features.child('authentication', NS.sasl2);
  if (entry) return new Sasl2(wire, features, entry, credentials, wishes).enter();
  const keys = await classic(wire, features, credentials);
  if (wishes.alone) return { features: read(features, false), managed: false, keys };
  return { ...(await bindClassic(wire, await wire.start(), wishes)), keys };
}

class Sasl2 {
  private readonly inline: El | undefined;
  private readonly bind: El | undefined;
  /** What can be asked for along with binding. */
  private readonly can: Set<string | undefined>;

  constructor(
    private readonly wire: Wire,
    private readonly features: El,
    private readonly entry: El,
    private readonly credentials: Credentials,
    private readonly wishes: Wishes,
  ) {
    this.inline = entry.child('inline');
    this.bind = this.inline?.child('bind', NS.bind2);
    this.can = new Set(
      this.bind
        ?.child('inline')
        ?.all('feature')
        .map((feature) => feature.attrs.var),
    );
  }

  async enter(): Promise<Outcome> {
    const { token, secret } = this.credentials;
    if (token && token.expires > Date.now() && this.offersTokens()) {
      try {
        return await this.withToken(token);
      } catch (error) {
        if (!(error instanceof AuthError) || error.passing || !secret) throw error;
      }
    }
    if (!secret) throw new AuthError('credentials-expired');
    return this.withPassword(secret);
  }

  private offersTokens(): boolean {
    const fast = this.inline?.child('fast', NS.fast);
    return fast?.all('mechanism').some((mechanism) => mechanism.text() === TOKEN_MECHANISM) ?? false;
  }

  private async withToken(token: Token): Promise<Outcome> {
    const { message, answer } = await tokenProof(this.credentials.user, token.token);
    const old = Date.now() - token.issued > TOKEN_AGE && !this.wishes.invalidate;
    const fast = el('fast', { xmlns: NS.fast, invalidate: this.wishes.invalidate ? 'true' : undefined });
    this.wire.send(this.request(TOKEN_MECHANISM, base64(message), old, fast));
    const success = await this.answer();
    // Only who has the token can have said so.
    const said = success.childText('additional-data');
    if (said === undefined || !same(fromBase64(said), answer)) throw new AuthError('server-unproven');
    return this.succeed(success);
  }

  private async withPassword(secret: Secret): Promise<Outcome> {
    const { scram, mechanism } = begin(this.features, this.entry, this.credentials.user, secret);
    this.wire.send(this.request(mechanism, base64(utf8(scram.first)), true));
    const challenge = await this.answer('challenge');
    const response = await proven(() => scram.respond(decode(challenge.text())));
    this.wire.send(el('response', { xmlns: NS.sasl2 }, base64(utf8(response))));
    const success = await this.answer();
    await proven(() => scram.finish(decode(success.childText('additional-data') ?? '')));
    return { ...(await this.succeed(success)), keys: scram.keys };
  }

  /** `<authenticate/>`, with everything asked for that the server offers to do along with it. */
  private request(mechanism: string, initial: string, token: boolean, ...more: El[]): El {
    return el(
      'authenticate',
      { xmlns: NS.sasl2, mechanism },
      el('initial-response', {}, initial),
      this.agent(),
      ...more,
      token &&
        this.wishes.token &&
        this.offersTokens() &&
        el('request-token', { xmlns: NS.fast, mechanism: TOKEN_MECHANISM }),
      ...(this.wishes.alone ? [] : this.session()),
    );
  }

  private agent(): El | undefined {
    const { agent } = this.wishes;
    return (
      agent &&
      el(
        'user-agent',
        { id: agent.id },
        el('software', {}, agent.software),
        agent.device !== '' && el('device', {}, agent.device),
        agent.public && el('public', { xmlns: NS.clients }),
      )
    );
  }

  /** The old session, and a new one if that cannot be had. */
  private session(): (El | undefined)[] {
    const { resume, tag, inactive } = this.wishes;
    // Where it can be had only afterwards, nothing is to be bound before it.
    if (resume && !this.inline?.child('sm', NS.sm)) return [];
    return [
      resume && el('resume', { xmlns: NS.sm, previd: resume.id, h: resume.received }),
      this.bind &&
        el(
          'bind',
          { xmlns: NS.bind2 },
          el('tag', {}, tag),
          this.can.has(NS.carbons) && el('enable', { xmlns: NS.carbons }),
          this.can.has(NS.csi) && inactive && el('inactive', { xmlns: NS.csi }),
          this.can.has(NS.sm) && el('enable', { xmlns: NS.sm, resume: 'true' }),
        ),
    ];
  }

  private async answer(name: 'challenge' | 'success' = 'success'): Promise<El> {
    const answer = await this.wire.next();
    if (answer.is(name, NS.sasl2)) return answer;
    throw refused(answer);
  }

  private async succeed(success: El): Promise<Outcome> {
    const token = readToken(success);
    const resumed = success.child('resumed', NS.sm);
    const features = await this.wire.features();
    if (this.wishes.alone) return { features: read(features, false), managed: false, token };
    if (resumed) {
      return { features: read(features, false), resumed: Number(resumed.attrs.h), managed: true, token };
    }
    const handled = readHandled(success.child('failed', NS.sm));
    const bound = success.child('bound', NS.bind2);
    if (!bound) {
      const tried = handled !== undefined || success.child('failed', NS.sm) !== undefined;
      const wishes = tried ? { ...this.wishes, resume: undefined } : this.wishes;
      return { ...(await bindClassic(this.wire, features, wishes)), token };
    }
    const jid = success.childText('authorization-identifier') ?? '';
    const inline = bound.child('enabled', NS.sm);
    const enabled = this.can.has(NS.sm) ? inline : await enable(this.wire, features);
    return {
      // What Bind2 offers it does, answer or not (XEP-0386 §3.2).
      features: read(features, this.can.has(NS.carbons), enabled),
      bound,
      handled,
      jid,
      id: resumable(enabled),
      managed: enabled !== undefined,
      token,
    };
  }
}

/** RFC 6120 §6. */
async function classic(wire: Wire, features: El, credentials: Credentials): Promise<Keys | undefined> {
  const offer = features.child('mechanisms', NS.sasl);
  if (!offer) throw new AuthError('encryption-required');
  if (!credentials.secret) throw new AuthError('credentials-expired');
  const { scram, mechanism } = begin(features, offer, credentials.user, credentials.secret);
  wire.send(el('auth', { xmlns: NS.sasl, mechanism }, base64(utf8(scram.first))));
  const challenge = await wire.next();
  if (!challenge.is('challenge', NS.sasl)) throw refused(challenge);
  const response = await proven(() => scram.respond(decode(challenge.text())));
  wire.send(el('response', { xmlns: NS.sasl }, base64(utf8(response))));
  const success = await wire.next();
  if (!success.is('success', NS.sasl)) throw refused(success);
  await proven(() => scram.finish(decode(success.text())));
  return scram.keys;
}

/** The old session if it can be had (XEP-0198 §5), else a resource (RFC 6120 §7) and stream management for it. */
async function bindClassic(wire: Wire, features: El, wishes: Wishes): Promise<Outcome> {
  const manageable = features.child('sm', NS.sm) !== undefined;
  let handled: number | undefined;
  if (wishes.resume && manageable) {
    wire.send(el('resume', { xmlns: NS.sm, previd: wishes.resume.id, h: wishes.resume.received }));
    const answer = await wire.next();
    if (answer.is('resumed', NS.sm)) {
      return { features: read(features, false), resumed: Number(answer.attrs.h), managed: true };
    }
    handled = readHandled(answer);
  }
  wire.send(el('iq', { type: 'set', id: 'bind' }, el('bind', { xmlns: NS.bind })));
  const bound = await wire.next();
  const jid = bound.path(['bind', NS.bind], ['jid'])?.text();
  if (jid === undefined) throw new WireError('bind');
  const enabled = await enable(wire, features);
  return {
    features: read(features, false, enabled),
    handled,
    jid,
    id: resumable(enabled),
    managed: enabled !== undefined,
  };
}

/** Stream management for a resource that was bound without (XEP-0198 §3). */
async function enable(wire: Wire, features: El): Promise<El | undefined> {
  if (!features.child('sm', NS.sm)) return undefined;
  wire.send(el('enable', { xmlns: NS.sm, resume: 'true' }));
  const answer = await wire.next();
  return answer.is('enabled', NS.sm) ? answer : undefined;
}

/** An exchange with the strongest mechanism of an offer. */
function begin(features: El, offer: El, user: string, secret: Secret): { scram: Scram; mechanism: string } {
  const mechanisms = offer.all('mechanism').map((mechanism) => mechanism.text());
  const bindings = features
    .all()
    .filter((child) => child.name === 'sasl-channel-binding')
    .flatMap((child) => child.all('channel-binding').map((binding) => binding.attrs.type ?? ''));
  const mechanism = 'keys' in secret ? secret.keys.mechanism : strongest(mechanisms);
  if (mechanism === undefined || !mechanisms.includes(mechanism)) throw new AuthError('invalid-mechanism');
  return { scram: new Scram(mechanism, user, secret, { mechanisms, bindings }), mechanism };
}

async function proven<T>(step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof ScramError && error.stale) throw new AuthError('not-authorized', error.message);
    throw new AuthError('server-unproven', error instanceof Error ? error.message : '');
  }
}

function refused(answer: El): Error {
  if (answer.name !== 'failure') return new WireError('bad-format');
  const condition = answer.all().find((child) => child.name !== 'text');
  const text = answer.all().find((child) => child.name === 'text');
  return new AuthError(condition?.name ?? 'not-authorized', text?.text());
}

function read(features: El, carbons: boolean, enabled?: El): Features {
  return {
    rosterVersion: features.child('ver', NS.rosterVersion) !== undefined,
    carbons,
    csi: features.child('csi', NS.csi) !== undefined,
    resumption: resumable(enabled) !== undefined,
    maxBytes: Number(features.path(['limits', NS.limits], ['max-bytes'])?.text()) || undefined,
  };
}

function readToken(success: El): Token | undefined {
  const { token, expiry } = success.child('token', NS.fast)?.attrs ?? {};
  if (token === undefined) return undefined;
  const expires = Date.parse(expiry ?? '');
  return { token, issued: Date.now(), expires: Number.isNaN(expires) ? Date.now() + TOKEN_AGE : expires };
}

function resumable(enabled: El | undefined): string | undefined {
  const { resume, id } = enabled?.attrs ?? {};
  return resume === 'true' || resume === '1' ? id : undefined;
}

function readHandled(failed: El | undefined): number | undefined {
  const h = failed?.attrs.h;
  return h === undefined ? undefined : Number(h);
}

const decode = (text: string): string => new TextDecoder().decode(fromBase64(text));
