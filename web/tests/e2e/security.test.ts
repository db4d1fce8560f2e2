/**
 * What pages of others can do to whoever is signed in: nothing. There are no cookies, so a request of theirs has nobody's rights; what
 * has an effect asks for our own origin all the same; and what people upload runs nowhere.
 */
import { createServer, type Server as Http } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { WebSocket as Socket } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOKERY_BIN, Server, freePort } from '../live/server';
import { type Person, complaints, launch, signUp } from './people';

describe.skipIf(ROOKERY_BIN === undefined)('pages of others', () => {
  let server: Server;
  let browser: Browser;
  let ann: Person;
  let foreign: Http;
  /** A page of another site, in the browser in which Ann is signed in. */
  let evil: Page;

  beforeAll(async () => {
    server = await Server.start({ config: '[http]\npublic_url = "https://nest.example"' });
    browser = await launch();
    ann = await signUp(browser, server, 'Ann', 'own');
    foreign = createServer((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Foreign</title>'),
    );
    const port = await freePort();
    await new Promise<void>((listening) => foreign.listen(port, '127.0.0.1', listening));
    evil = await ann.context.newPage();
    await evil.goto(`http://127.0.0.1:${port}/`);
  });

  afterAll(async () => {
    await browser?.close();
    foreign?.close();
    await server?.remove();
  });

  it('every file of the messenger is under the one policy', async () => {
    const html = await fetch(server.url).then((page) => page.text());
    const script = /assets\/[^"]+\.js/.exec(html)![0];
    for (const path of ['', script, 'sw.js', 'app.webmanifest']) {
      const answer = await fetch(`${server.url}/${path}`);
      expect(answer.status, path).toBe(200);
      const said = (name: string) => answer.headers.get(name) ?? '';
      const policy = said('content-security-policy');
      for (const part of [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
      ])
        expect(policy, path).toContain(part);
      expect(policy).not.toMatch(/unsafe|https:|\*/);
      expect(said('cross-origin-opener-policy')).toBe('same-origin');
      expect(said('cross-origin-resource-policy')).toBe('same-origin');
      expect(said('x-content-type-options')).toBe('nosniff');
      expect(said('referrer-policy')).toBe('no-referrer');
      expect(said('set-cookie')).toBe('');
      expect(said('access-control-allow-origin')).toBe('');
    }
  });

  it('the page makes no markup of strings, and loads no script by them', async () => {
    const tried = await ann.page.evaluate(() => {
      const attempts: Record<string, () => void> = {
        markup: () => (document.createElement('p').innerHTML = '<b>x</b>'),
        script: () => (document.createElement('script').src = '/x.js'),
      };
      return Object.entries(attempts).filter(([, attempt]) => {
        try {
          attempt();
          return true;
        } catch {
          return false;
        }
      });
    });
    expect(tried).toEqual([]);
    // The browser says that it refused.
    complaints.length = 0;
  });

  it('there is nothing that a browser would send along by itself', async () => {
    expect(await ann.context.cookies()).toEqual([]);
  });

  it('a foreign page neither reads nor changes anything of an account', async () => {
    const asked = await evil.evaluate(async (url) => {
      const paths = ['link', 'recover', 'enter', 'pair'];
      const tries = paths.flatMap((path) => [
        // As a program does, and as a form of another site does: without asking first.
        ['cors', path, 'application/json'],
        ['no-cors', path, 'text/plain'],
      ]);
      const outcomes = [];
      for (const [mode, path, type] of tries) {
        const outcome = await fetch(`${url}/account/${path}`, {
          method: 'POST',
          mode: mode as RequestMode,
          credentials: 'include',
          headers: { 'content-type': type! },
          body: '{"token":"x","who":"10001","language":"en"}',
        }).then(
          (answer) => answer.type,
          () => 'refused',
        );
        outcomes.push(outcome);
      }
      return outcomes;
    }, server.url);
    expect(new Set(asked)).toEqual(new Set(['refused', 'opaque']));
    // What such a form gets, which the foreign page cannot see.
    for (const path of ['link', 'recover', 'enter', 'pair']) {
      const answer = await fetch(`${server.url}/account/${path}`, {
        method: 'POST',
        headers: { origin: 'https://evil.example', 'content-type': 'application/json' },
        body: '{"token":"x","who":"10001","language":"en"}',
      });
      expect(answer.status, path).toBe(403);
    }
  });

  it('a foreign page opens no stream, by which accounts and the server are administered', async () => {
    const opened = await evil.evaluate(
      (url) =>
        new Promise((done) => {
          const socket = new WebSocket(url, 'xmpp');
          socket.onopen = () => done('open');
          socket.onerror = () => done('refused');
        }),
      server.websocket,
    );
    expect(opened).toBe('refused');
    // No browser in between: by its origin alone, and with no origin it is a program, which has nobody's rights.
    const told = (origin?: string) =>
      new Promise((done) => {
        const socket = new Socket(server.websocket, 'xmpp', { ...(origin && { origin }) });
        socket.once('open', () => done(101)).once('unexpected-response', (_, { statusCode }) => done(statusCode));
        socket.once('error', () => done('error')).once('open', () => socket.close());
      });
    expect(await told('https://evil.example')).toBe(403);
    expect(await told(server.url)).toBe(101);
    const bosh = await fetch(`${server.url}/http-bind`, {
      method: 'POST',
      headers: { origin: 'https://evil.example', 'content-type': 'text/xml' },
      body: `<body xmlns='http://jabber.org/protocol/httpbind' to='localhost' rid='1'/>`,
    });
    expect(bosh.status).toBe(403);
  });

  it('nobody has the messenger in a frame', async () => {
    const framed = evil.waitForEvent('console', (said) => /frame-ancestors/.test(said.text()));
    await evil.evaluate((url) => {
      const frame = document.createElement('iframe');
      frame.src = url;
      document.body.append(frame);
    }, server.url);
    await framed;
  });

  it('what people upload is no page of ours', async () => {
    const html = '<script>document.title = "run"</script>';
    // On a public computer the page itself uploads, where one can look at it.
    const bob = await signUp(browser, server, 'Bob', 'public');
    const slot = bob.page.waitForResponse((answer) => answer.request().method() === 'PUT');
    await bob.page.evaluate(() => void (location.hash = '#/chats/localhost'));
    await bob.page
      .locator('input[type=file]')
      .first()
      .setInputFiles({ name: 'page.html', mimeType: 'text/html', buffer: Buffer.from(html) });
    await bob.page.getByRole('dialog').getByRole('button', { name: /^Send/ }).click();
    // The key with which it was put there is no part of the address.
    const answer = await fetch((await slot).url().split('?')[0]!);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-security-policy')).toMatch(
      /default-src 'none'.*sandbox|sandbox.*default-src 'none'/,
    );
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-disposition') ?? '').toContain('attachment');
    expect(answer.headers.get('content-type')).not.toMatch(/html|svg|xml|javascript/);
    expect(complaints).toEqual([]);
  });
});
