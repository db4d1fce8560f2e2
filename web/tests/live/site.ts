/** A web site on this machine, at an address of its own and the port that links go to; it counts who looks. */
import { type Server, createServer } from 'node:http';

/** Title, description and picture are what a page says of itself (Open Graph). */
const page = (title: string, description: string) => `<!doctype html>
<html><head><title>${title}</title>
<meta property="og:title" content="${title}"><meta property="og:description" content="${description}">
<meta property="og:site_name" content="The harbour"><meta property="og:image" content="/picture.png">
</head><body><script>document.title = 'run'</script></body></html>`;

/** 64 × 32 points of one colour. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAAAgCAIAAAAt/+nTAAAAQ0lEQVR4nO3PQQ3AIADAQEAmwtCErIngcVnSU9DOfe74s6UDXjWgNaA1oDWgNaA1oDWgNaA1oDWgNaA1oDWgNaA1oH2R1gH4m9uC0wAAAABJRU5ErkJggg==',
  'base64',
);

export class Site {
  /** What was asked for, in this order. */
  readonly seen: string[] = [];

  private constructor(
    readonly address: string,
    private readonly server: Server,
  ) {}

  /** `away`: where `/away` leads to. Gives nothing where one may not listen at port 80. */
  static async start(address: string, away = ''): Promise<Site | undefined> {
    const server = createServer((request, response) => {
      const path = request.url ?? '/';
      site.seen.push(path);
      if (path === '/away') response.writeHead(302, { location: away }).end();
      else if (path === '/picture.png') response.writeHead(200, { 'content-type': 'image/png' }).end(PICTURE);
      else
        response
          .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
          .end(page('Tide tables', 'High and low water'));
    });
    const site = new Site(address, server);
    const listening = new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(80, address, () => resolve(true));
    });
    return (await listening) ? site : undefined;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
