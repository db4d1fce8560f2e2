/**
 * One WebSocket and the elements on it (RFC 7395). Below sessions: it knows streams, and neither who is signed in nor what
 * was acknowledged.
 */
import { parse } from './parse';
import { el, type El } from './xml';
import { NS } from './ns';

/** What we need of a WebSocket; the browser's fits, and so does a script in a test. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror: (() => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

export type Connect = (url: string) => Socket;

export const browserSocket: Connect = (url) => new WebSocket(url, 'xmpp') as Socket;

/** Why a connection came to nothing or ended. `condition` is a stream error's, or `timeout` or `closed`. */
export class WireError extends Error {
  override name = 'WireError';
  constructor(
    readonly condition: string,
    text = '',
    /** Why the server has signed us out (docs/devices.md), if it says so. */
    readonly why = '',
  ) {
    super(text || condition);
  }
}

/** For the socket to open, and for each answer while signing in. */
export const STEP_TIMEOUT = 15_000;

export class Wire {
  /** Elements that nobody has asked for yet, while signing in. */
  private readonly read: El[] = [];
  private waiting: { resolve: (element: El) => void; reject: (error: WireError) => void } | undefined;
  private consumer: { element: (element: El) => void; closed: (error: WireError) => void } | undefined;
  private error: WireError | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly domain: string,
  ) {
    socket.onmessage = (event) => this.receive(event.data);
    socket.onerror = () => this.end(new WireError('closed'));
    socket.onclose = () => this.end(new WireError('closed'));
  }

  /** Opens the socket; `signal` gives up. The stream is not open yet. */
  static open(connect: Connect, url: string, domain: string, signal: AbortSignal): Promise<Wire> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(new WireError('closed'));
      const socket = connect(url);
      const wire = new Wire(socket, domain);
      const timer = setTimeout(() => wire.end(new WireError('timeout')), STEP_TIMEOUT);
      const abort = () => wire.end(new WireError('closed'));
      signal.addEventListener('abort', abort, { once: true });
      wire.consumer = { element: () => {}, closed: (error) => settle(() => reject(error)) };
      socket.onopen = () => settle(() => resolve(wire));
      const settle = (then: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        wire.consumer = undefined;
        then();
      };
    });
  }

  /** Opens a stream, again after classic authentication (RFC 7395 §3.7), and gives the server's features. */
  async start(from?: string): Promise<El> {
    this.send(el('open', { xmlns: NS.framing, to: this.domain, from, version: '1.0' }));
    const opened = await this.next();
    if (!opened.is('open', NS.framing)) throw new WireError('bad-format');
    return this.features();
  }

  async features(): Promise<El> {
    const features = await this.next();
    if (!features.is('features', NS.stream)) throw new WireError('bad-format');
    return features;
  }

  send(element: El): void {
    this.sendText(element.toString());
  }

  /** One element, as text. */
  sendText(text: string): void {
    if (this.error === undefined) this.socket.send(text);
  }

  /** The next element, while signing in. Rejects when the stream ends first, or nothing comes. */
  next(timeout = STEP_TIMEOUT): Promise<El> {
    const ready = this.read.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    if (this.error !== undefined) return Promise.reject(this.error);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.end(new WireError('timeout')), timeout);
      this.waiting = {
        resolve: (element) => {
          clearTimeout(timer);
          resolve(element);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
    });
  }

  /** From here on elements are given to these, beginning with those that have come already. */
  handOver(element: (element: El) => void, closed: (error: WireError) => void): void {
    this.consumer = { element, closed };
    for (const early of this.read.splice(0)) element(early);
    if (this.error !== undefined) closed(this.error);
  }

  /** Ends the stream (RFC 7395 §3.6). What comes after is not heard; nobody is told. */
  close(): void {
    this.consumer = undefined;
    this.send(el('close', { xmlns: NS.framing }));
    this.end(new WireError('closed'));
  }

  /** Lets go at once, as if the connection had broken. */
  cut(condition: string): void {
    this.end(new WireError(condition));
  }

  private receive(data: unknown): void {
    if (this.error !== undefined) return;
    let element: El;
    try {
      element = parse(String(data));
    } catch {
      return this.end(new WireError('not-well-formed'));
    }
    if (element.is('close', NS.framing)) return this.end(new WireError('closed'));
    if (element.is('error', NS.stream)) {
      const condition = element.all().find((child) => child.ns === NS.streamErrors && child.name !== 'text');
      return this.end(
        new WireError(
          condition?.name ?? 'undefined-condition',
          element.childText('text', NS.streamErrors),
          element.all().find((child) => child.ns === NS.ended)?.name,
        ),
      );
    }
    if (this.consumer !== undefined) return this.consumer.element(element);
    const waiting = this.waiting;
    this.waiting = undefined;
    if (waiting !== undefined) waiting.resolve(element);
    else this.read.push(element);
  }

  private end(error: WireError): void {
    if (this.error !== undefined) return;
    this.error = error;
    this.socket.onmessage = this.socket.onclose = this.socket.onerror = this.socket.onopen = null;
    try {
      this.socket.close();
    } catch {
      // It was not open yet.
    }
    this.waiting?.reject(error);
    this.waiting = undefined;
    this.consumer?.closed(error);
  }
}
