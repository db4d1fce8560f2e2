/** A server that is a script: it knows tokens, Bind2 and stream management, and does what a test tells it. */
import { base64, fromBase64 } from '../../../src/xmpp/bytes';
import { NS } from '../../../src/xmpp/ns';
import { parse } from '../../../src/xmpp/parse';
import { tokenProof } from '../../../src/xmpp/scram';
import type { Socket } from '../../../src/xmpp/wire';
import { el, type El } from '../../../src/xmpp/xml';

export const TOKEN = 'the token';

export class ScriptedSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: (() => void) | null = null;
  onclose: (() => void) | null = null;
  open = true;

  constructor(private readonly server: ScriptedServer) {
    queueMicrotask(() => {
      if (server.unreachable) this.drop();
      else this.onopen?.();
    });
  }

  send(text: string): void {
    if (this.open && !this.server.deaf) void this.server.receive(this, parse(text));
  }

  close(): void {
    this.open = false;
  }

  push(element: El | string): void {
    if (this.open) this.onmessage?.({ data: element.toString() });
  }

  /** The network is gone. */
  drop(): void {
    this.open = false;
    this.onclose?.();
  }
}

export class ScriptedServer {
  sockets: ScriptedSocket[] = [];
  unreachable = false;
  /** Hears nothing any more, and does not say so. */
  deaf = false;
  refuses: string | undefined;
  resumable = true;
  /** Does not know the old session any more. */
  forgets = false;
  maxBytes: number | undefined;
  /** Stanzas that came, over all connections of a session. */
  stanzas: El[] = [];
  /** How many of them it says that it has handled. */
  handled: number | undefined;
  authentications: El[] = [];
  /** Everything that came on the last connection. */
  heard: El[] = [];

  readonly connect = (): Socket => {
    const socket = new ScriptedSocket(this);
    this.sockets.push(socket);
    this.heard = [];
    return socket;
  };

  get last(): ScriptedSocket {
    return this.sockets.at(-1)!;
  }

  async receive(socket: ScriptedSocket, element: El): Promise<void> {
    this.heard.push(element);
    if (element.is('open', NS.framing)) {
      socket.push(`<open xmlns='${NS.framing}' version='1.0' id='x'/>`);
      socket.push(this.offer());
    } else if (element.is('authenticate', NS.sasl2)) {
      this.authentications.push(element);
      await this.authenticate(socket, element);
    } else if (element.is('r', NS.sm)) {
      socket.push(el('a', { xmlns: NS.sm, h: this.count }));
    } else if (element.ns === NS.client) {
      this.stanzas.push(element);
      if (element.name === 'iq' && element.child('query', 'test:echo')) {
        socket.push(el('iq', { type: 'result', id: element.attrs.id }));
      }
    }
  }

  private get count(): number {
    return this.handled ?? this.stanzas.length;
  }

  private offer(): El {
    const inline = el(
      'inline',
      {},
      el('sm', { xmlns: NS.sm }),
      el(
        'bind',
        { xmlns: NS.bind2 },
        el('inline', {}, ...[NS.carbons, NS.csi, NS.sm].map((feature) => el('feature', { var: feature }))),
      ),
      el('fast', { xmlns: NS.fast }, el('mechanism', {}, 'HT-SHA-256-NONE')),
    );
    return el('features', { xmlns: NS.stream }, el('authentication', { xmlns: NS.sasl2 }, inline));
  }

  private async authenticate(socket: ScriptedSocket, request: El): Promise<void> {
    const { message, answer } = await tokenProof('pip', TOKEN);
    const right = fromBase64(request.childText('initial-response') ?? '').join() === message.join();
    if (this.refuses !== undefined || !right) {
      const condition = el(this.refuses ?? 'not-authorized', { xmlns: NS.sasl });
      return socket.push(el('failure', { xmlns: NS.sasl2 }, condition));
    }
    const resume = request.child('resume', NS.sm);
    const success = el('success', { xmlns: NS.sasl2 }, el('additional-data', {}, base64(answer)));
    if (resume && !this.forgets) {
      success.add(el('resumed', { xmlns: NS.sm, previd: resume.attrs.previd, h: this.count }));
    } else {
      if (resume) success.add(el('failed', { xmlns: NS.sm, h: this.handled }));
      this.stanzas = [];
      this.handled = undefined;
      const enabled = el('enabled', { xmlns: NS.sm, id: 'session', resume: this.resumable ? 'true' : undefined });
      success.add(el('authorization-identifier', {}, 'pip@here/web'));
      success.add(el('bound', { xmlns: NS.bind2 }, enabled));
    }
    socket.push(success);
    const limits = el('limits', { xmlns: NS.limits }, el('max-bytes', {}, String(this.maxBytes ?? 100_000)));
    socket.push(el('features', { xmlns: NS.stream }, el('csi', { xmlns: NS.csi }), limits));
  }
}
