/** WebSockets for Node, which can be cut as a bad network cuts them. */
import { WebSocket } from 'ws';
import type { Connect, Socket } from '../../src/xmpp/wire';

export class Network {
  private readonly open = new Set<WebSocket>();
  /** No connection comes about. */
  down = false;
  /** How many have been opened. */
  opened = 0;
  /** Elements sent on them all. */
  sent: string[] = [];

  readonly connect: Connect = (url) => {
    const socket = new WebSocket(this.down ? 'ws://127.0.0.1:1/' : url, 'xmpp', { origin: undefined });
    this.opened++;
    this.open.add(socket);
    socket.on('close', () => this.open.delete(socket));
    const send = socket.send.bind(socket);
    socket.send = ((text: string) => {
      this.sent.push(text);
      send(text);
    }) as typeof socket.send;
    // Errors are told by the event; a listener keeps them from ending the process.
    socket.on('error', () => {});
    return socket as unknown as Socket;
  };

  /** Cuts every connection without a word. */
  cut(): void {
    for (const socket of this.open) socket.terminate();
  }
}
