import { describe, expect, test } from 'vitest';
import { hex } from '../../../src/xmpp/bytes';
import { prepare, Scram, ScramError, strongest, tokenProof, type Secret } from '../../../src/xmpp/scram';

const NOTHING = { mechanisms: [], bindings: [] };
const PENCIL: Secret = { password: 'pencil' };

/** The examples of RFC 5802 §5 and RFC 7677 §3. */
const SHA1 = {
  nonce: 'fyko+d2lbbFgONRv9qkxdawL',
  challenge: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
  final: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
  proof: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
};
const SHA256 = {
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  challenge: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  final: 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  proof: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

describe.each([
  ['SCRAM-SHA-1', SHA1],
  ['SCRAM-SHA-256', SHA256],
])('%s', (mechanism, { nonce, challenge, final, proof }) => {
  test('is the example of its standard', async () => {
    const scram = new Scram(mechanism, 'user', PENCIL, NOTHING, nonce);
    expect(scram.first).toBe(`n,,n=user,r=${nonce}`);
    expect(await scram.respond(challenge)).toBe(final);
    scram.finish(proof);
    expect(() => scram.finish('v=AAAA')).toThrow(ScramError);
    expect(() => scram.finish('')).toThrow(ScramError);
  });

  test('keys do what the password does, for as long as it is the same', async () => {
    const first = new Scram(mechanism, 'user', PENCIL, NOTHING, nonce);
    await first.respond(challenge);
    const again = new Scram(mechanism, 'user', { keys: first.keys! }, NOTHING, nonce);
    expect(await again.respond(challenge)).toBe(final);
    const other = new Scram(mechanism, 'user', { keys: first.keys! }, NOTHING, nonce);
    await expect(other.respond(challenge.replace('i=4096', 'i=4097'))).rejects.toMatchObject({ stale: true });
  });
});

test.each([
  ['another nonce', SHA1.challenge.replace('fyko', 'kyfo')],
  ['no nonce of the server', `r=${SHA1.nonce},s=QSXCR+Q6sek8bf92,i=4096`],
  ['no rounds', SHA1.challenge.replace('i=4096', 'i=0')],
  ['rounds without end', SHA1.challenge.replace('i=4096', 'i=999999999')],
  ['nothing', ''],
])('a challenge with %s is refused', async (_, challenge) => {
  const scram = new Scram('SCRAM-SHA-1', 'user', PENCIL, NOTHING, SHA1.nonce);
  await expect(scram.respond(challenge)).rejects.toThrow(ScramError);
});

/** The example of XEP-0474 §6.3. */
test('an offer that was made worse on the way is noticed', async () => {
  const challenge = `${SHA1.challenge.replace('4096', '64')},h=G6k/rBLDqgOhRRaCuuatSDFkJ08=`;
  const bindings = ['tls-server-end-point', 'tls-exporter'];
  const seen = (mechanisms: string[]) =>
    new Scram('SCRAM-SHA-1', 'user', PENCIL, { mechanisms, bindings }, SHA1.nonce).respond(challenge);
  await seen(['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS']);
  await expect(seen(['SCRAM-SHA-1'])).rejects.toThrow('downgraded');
});

test('names and passwords are prepared', () => {
  expect(new Scram('SCRAM-SHA-1', 'a=b,c', PENCIL, NOTHING, 'x').first).toBe('n,,n=a=3Db=2Cc,r=x');
  expect(prepare('I\u00adX\u00a0\u2168')).toBe('IX IX');
});

test('the strongest that is offered', () => {
  expect(strongest(['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256'])).toBe('SCRAM-SHA-256');
  expect(strongest(['PLAIN'])).toBeUndefined();
});

test('a token is proven without being told', async () => {
  const { message } = await tokenProof('romeo', 'token');
  expect(hex(message)).toBe(
    `${hex(new TextEncoder().encode('romeo'))}00d24d95482f0d6e035c56e787dac4ed832bdd84ee3ea242aaadd982270c330006`,
  );
});
