/**
 * SCRAM (RFC 5802, RFC 7677): the password never leaves, and the server proves that it knows it too. With protection against an
 * offer that somebody on the way has made worse (XEP-0474). There is no channel binding: a browser does not tell what TLS does.
 */
import { base64, concat, fromBase64, random, same, utf8, type Bytes } from './bytes';

const HASHES: Record<string, string> = {
  'SCRAM-SHA-512': 'SHA-512',
  'SCRAM-SHA-256': 'SHA-256',
  'SCRAM-SHA-1': 'SHA-1',
};

/** Rounds beyond this would only keep the processor busy. */
const MAX_ITERATIONS = 5_000_000;

/** The strongest mechanism of an offer that we know. */
export function strongest(offered: string[]): string | undefined {
  return Object.keys(HASHES).find((name) => offered.includes(name));
}

/**
 * What a password becomes for one account. It signs in as the password does, at this server alone, and so it is what is
 * kept in memory while a session lasts; never longer.
 */
export interface Keys {
  mechanism: string;
  salt: string;
  iterations: number;
  client: Bytes;
  server: Bytes;
}

export type Secret = { password: string } | { keys: Keys };

/** The server did not prove that it knows the password, or somebody changed what it said. */
export class ScramError extends Error {
  override name = 'ScramError';
  constructor(
    message: string,
    /** The keys that are kept are of an older password. */
    readonly stale = false,
  ) {
    super(message);
  }
}

export class Scram {
  /** `client-first-message`. */
  readonly first: string;
  /** What the password became, once the challenge was answered. */
  keys: Keys | undefined;

  private readonly hash: string;
  private readonly bare: string;
  private signature: Bytes | undefined;

  /** `offered` and `bindings` are what the server announced, in the profile that is used. */
  constructor(
    private readonly mechanism: string,
    user: string,
    private readonly secret: Secret,
    private readonly offered: { mechanisms: string[]; bindings: string[] },
    private readonly nonce: string = random(),
  ) {
    const hash = HASHES[mechanism];
    if (hash === undefined) throw new ScramError(`no such mechanism: ${mechanism}`);
    this.hash = hash;
    this.bare = `n=${prepare(user).replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${this.nonce}`;
    this.first = `n,,${this.bare}`;
  }

  /** `client-final-message`, the answer to `server-first-message`. */
  async respond(challenge: string): Promise<string> {
    const [nonce, salt, iterations] = ['r', 's', 'i'].map((name, at) => {
      const part = challenge.split(',')[at];
      if (!part?.startsWith(`${name}=`)) throw new ScramError('malformed challenge');
      return part.slice(2);
    }) as [string, string, string];
    const rounds = Number(iterations);
    if (!nonce.startsWith(this.nonce) || nonce.length === this.nonce.length) throw new ScramError('nonce');
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ITERATIONS) throw new ScramError('iterations');
    await this.compare(challenge);

    const keys = await this.keysFor(salt, rounds);
    this.keys = keys;
    // "biws" is base64 of the header "n,,".
    const withoutProof = `c=biws,r=${nonce}`;
    const message = utf8(`${this.bare},${challenge},${withoutProof}`);
    const stored = await this.digest(keys.client);
    const proof = await this.hmac(stored, message);
    for (let at = 0; at < proof.length; at++) proof[at]! ^= keys.client[at]!;
    this.signature = await this.hmac(keys.server, message);
    return `${withoutProof},p=${base64(proof)}`;
  }

  /** Checks `server-final-message`; throws if the server has not proven itself. */
  finish(final: string): void {
    const said = /^v=([^,]+)/.exec(final)?.[1];
    if (said === undefined || this.signature === undefined || !same(fromBase64(said), this.signature)) {
      throw new ScramError('the server does not know the password');
    }
  }

  /** XEP-0474 §4: what the server says it has announced must be what we have seen. */
  private async compare(challenge: string): Promise<void> {
    const said = challenge.split(',').find((part, at) => at > 2 && part.startsWith('h='));
    if (said === undefined) return;
    const { mechanisms, bindings } = this.offered;
    const lists = bindings.length > 0 ? [mechanisms, bindings] : [mechanisms];
    const seen = lists.map((list) => [...list].sort().join('\u001e')).join('\u001f');
    if (!same(fromBase64(said.slice(2)), await this.digest(utf8(seen)))) throw new ScramError('downgraded');
  }

  private async keysFor(salt: string, iterations: number): Promise<Keys> {
    if ('keys' in this.secret) {
      const { keys } = this.secret;
      const fit = keys.mechanism === this.mechanism && keys.salt === salt && keys.iterations === iterations;
      if (!fit) throw new ScramError('the password has changed', true);
      return keys;
    }
    const password = await crypto.subtle.importKey('raw', utf8(prepare(this.secret.password)), 'PBKDF2', false, [
      'deriveBits',
    ]);
    const bits = this.hash === 'SHA-1' ? 160 : Number(this.hash.slice(4));
    const salted = new Uint8Array(
      await crypto.subtle.deriveBits(
        { name: 'PBKDF2', hash: this.hash, salt: fromBase64(salt), iterations },
        password,
        bits,
      ),
    );
    const [client, server] = await Promise.all([
      this.hmac(salted, utf8('Client Key')),
      this.hmac(salted, utf8('Server Key')),
    ]);
    return { mechanism: this.mechanism, salt, iterations, client, server };
  }

  private async digest(bytes: Bytes): Promise<Bytes> {
    return new Uint8Array(await crypto.subtle.digest(this.hash, bytes));
  }

  private hmac(key: Bytes, message: Bytes): Promise<Bytes> {
    return hmac(this.hash, key, message);
  }
}

export async function hmac(hash: string, key: Bytes, message: Bytes): Promise<Bytes> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, message));
}

/** The token mechanism (draft-schmaus-kitten-sasl-ht, XEP-0484) that needs no channel binding. */
export const TOKEN_MECHANISM = 'HT-SHA-256-NONE';

/** The only message of a client with a token, and the answer that the server proves itself with. */
export async function tokenProof(user: string, token: string): Promise<{ message: Bytes; answer: Bytes }> {
  const mac = (role: string) => hmac('SHA-256', utf8(token), utf8(role));
  const [mine, answer] = await Promise.all([mac('Initiator'), mac('Responder')]);
  return { message: concat(utf8(`${user}\0`), mine), answer };
}

/**
 * SASLprep (RFC 4013) as far as people's keyboards go: spaces are one kind, what is invisible is nothing, and the rest is
 * in its compatible form. What it forbids is left to the server to refuse.
 */
export function prepare(text: string): string {
  return text
    .replace(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ')
    .replace(/[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g, '')
    .normalize('NFKC');
}
