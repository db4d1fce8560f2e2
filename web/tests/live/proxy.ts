/** A bad network: a way to a server on which connections are dropped, held up, half closed, or not had at all. */
import { connect, createServer, type Server as Listener, type Socket } from 'node:net';

interface Pair {
  client: Socket;
  server: Socket;
}

export class Proxy {
  private readonly pairs = new Set<Pair>();
  /** No connection comes about. */
  down = false;
  private listener!: Listener;
  port = 0;

  private constructor(private readonly target: number) {}

  /** The way to this port of the machine. */
  static async start(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    proxy.listener = createServer({ allowHalfOpen: true }, (client) => proxy.take(client));
    await new Promise<void>((done) => proxy.listener.listen(0, '127.0.0.1', done));
    const address = proxy.listener.address();
    proxy.port = address && typeof address === 'object' ? address.port : 0;
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private take(client: Socket): void {
    if (this.down) return void client.resetAndDestroy();
    const server = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true });
    const pair = { client, server };
    this.pairs.add(pair);
    const gone = () => {
      this.pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const end of [client, server]) end.on('error', gone).on('close', gone);
    client.pipe(server);
    server.pipe(client);
  }

  /** All connections are gone, and both ends know. */
  drop(): void {
    for (const { client, server } of this.pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** What is on its way is lost, and the server sees an orderly end; the client is told nothing until it asks. */
  halfClose(): void {
    for (const { client, server } of this.pairs) {
      client.unpipe(server);
      server.end();
      client.resume();
    }
  }

  /** Nothing passes for so long (milliseconds); then all that waited does, unless it was dropped meanwhile. */
  stall(milliseconds: number): void {
    const held = [...this.pairs];
    for (const { client, server } of held) {
      client.unpipe(server);
      server.unpipe(client);
      client.pause();
      server.pause();
    }
    setTimeout(() => {
      for (const pair of held) {
        if (!this.pairs.has(pair)) continue;
        pair.client.pipe(pair.server);
        pair.server.pipe(pair.client);
      }
    }, milliseconds);
  }

  async stop(): Promise<void> {
    this.drop();
    await new Promise((done) => this.listener.close(done));
  }
}
