/** A push service on this machine (RFC 8030), and the keys of a browser that subscribed there: what is posted is opened as that browser would. */
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Server as Https, createServer } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import type { Server } from './server';

export interface Push {
  headers: IncomingHttpHeaders;
  /** What the browser hands to its service worker. */
  text: string;
}

export class PushService {
  private readonly key = createECDH('prime256v1');
  private readonly secret = randomBytes(16);
  private readonly pushes: Push[] = [];
  private readonly waiting: ((push: Push) => void)[] = [];

  private constructor(
    private readonly https: Https,
    readonly port: number,
  ) {
    this.key.generateKeys();
  }

  /** It shows the certificate that the server made for itself: a server that trusts its own authority believes it. */
  static async start(server: Server): Promise<PushService> {
    const file = (name: string) => readFileSync(join(server.folder, 'data', 'tls', name));
    const https = createServer({ cert: file('local.pem'), key: file('local.key') });
    await new Promise<void>((listening) => https.listen(0, '127.0.0.1', listening));
    const address = https.address();
    const service = new PushService(https, address && typeof address === 'object' ? address.port : 0);
    https.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        service.took({ headers: request.headers, text: service.open(Buffer.concat(parts)) });
        response.writeHead(201).end();
      });
    });
    return service;
  }

  /** As a browser's `PushSubscription` tells it. */
  get subscription(): { endpoint: string; keys: { p256dh: string; auth: string } } {
    const keys = { p256dh: this.key.getPublicKey('base64url'), auth: this.secret.toString('base64url') };
    return { endpoint: `https://localhost:${this.port}/send/abc`, keys };
  }

  /** The next that nobody has taken yet. */
  next(): Promise<Push> {
    const push = this.pushes.shift();
    return push ? Promise.resolve(push) : new Promise((resolve) => this.waiting.push(resolve));
  }

  stop(): void {
    this.https.closeAllConnections();
    this.https.close();
  }

  private took(push: Push): void {
    const waiting = this.waiting.shift();
    if (waiting) waiting(push);
    else this.pushes.push(push);
  }

  /** RFC 8291 §3.4 and RFC 8188 §2.1: salt, record size, the sender's key, and one record. */
  private open(body: Buffer): string {
    const salt = body.subarray(0, 16);
    const theirs = body.subarray(21, 21 + body.readUInt8(20));
    const record = body.subarray(21 + theirs.length);
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.key.getPublicKey(), theirs]);
    const material = hkdfSync('sha256', this.key.computeSecret(theirs), this.secret, info, 32);
    const derive = (what: string, length: number) =>
      Buffer.from(hkdfSync('sha256', Buffer.from(material), salt, `Content-Encoding: ${what}\0`, length));
    const cipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12));
    cipher.setAuthTag(record.subarray(-16));
    const plain = Buffer.concat([cipher.update(record.subarray(0, -16)), cipher.final()]);
    // What fills it up are zeros behind the delimiter of the last record, 2.
    const end = plain.lastIndexOf(2);
    if (plain.subarray(end + 1).some((byte) => byte !== 0)) throw new Error('the record has no delimiter');
    return plain.toString('utf8', 0, end);
  }
}
