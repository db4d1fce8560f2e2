/**
 * A real Rookery for tests: its own data folder and ports on this machine, ended by its process id. Used by the live tests of
 * the engine and by the end-to-end tests.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The binary that is tested, if there is one. */
export const ROOKERY_BIN = process.env.ROOKERY_BIN;

export interface Options {
  /** Tables and keys that are added to the configuration; `{url}` is the address of the server. */
  config?: string;
  registration?: 'open' | 'invite' | 'closed' | 'review';
  /** It asks other servers as well whose certificates its own authority has signed: those of `localhost`. */
  trustsItself?: boolean;
}

export class Server {
  readonly domain = 'localhost';
  private process: ChildProcess | undefined;

  private constructor(
    readonly folder: string,
    /** Of HTTP: the page, the WebSocket, uploads. */
    readonly port: number,
    private readonly trustsItself: boolean,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get websocket(): string {
    return `ws://127.0.0.1:${this.port}/xmpp-websocket`;
  }

  /** Makes a folder and a configuration, and starts. */
  static async start(options: Options = {}): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), 'rookery-live-'));
    const server = new Server(folder, await freePort(), options.trustsItself === true);
    writeFileSync(
      join(folder, 'rookery.toml'),
      [
        'domain = "localhost"',
        `data = "${join(folder, 'data')}"`,
        '[listen]',
        // It will have at least one; nobody uses it.
        'c2s = ["127.0.0.1:0"]',
        'c2s_tls = []',
        'https = []',
        'status = []',
        `http = ["127.0.0.1:${server.port}"]`,
        '[registration]',
        `mode = "${options.registration ?? 'open'}"`,
        'per_address_and_hour = 10000',
        (options.config ?? '').replaceAll('{url}', server.url),
      ].join('\n'),
    );
    await server.run();
    // It reads whom it trusts when it starts, and has made the authority in the meantime.
    if (server.trustsItself) {
      await server.end();
      await server.run();
    }
    return server;
  }

  /** Starts it again, on the same folder and port. */
  async run(): Promise<void> {
    const child = spawn(ROOKERY_BIN!, ['--config', this.config, 'serve'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...(this.trustsItself && { SSL_CERT_FILE: join(this.folder, 'data', 'tls', 'local-ca.pem') }),
      },
    });
    this.process = child;
    const log = createWriteStream(join(this.folder, 'log'), { flags: 'a' });
    child.stdout?.pipe(log);
    child.stderr?.pipe(log);
    for (let tries = 0; tries < 300; tries++) {
      if (child.exitCode !== null) throw new Error(`the server ended; see ${this.folder}/log`);
      // Whatever it answers, it answers.
      const answer = await fetch(this.url).catch(() => undefined);
      if (answer !== undefined) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await this.end();
    throw new Error(`the server does not answer; see ${this.folder}/log`);
  }

  /** Ends it: SIGTERM closes streams, SIGKILL is a crash. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  /** Ends it, and leaves nothing. */
  async remove(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A command of the operator's, such as `account create`; gives what it prints. */
  command(...args: string[]): string {
    const done = spawnSync(ROOKERY_BIN!, ['--config', this.config, ...args], { encoding: 'utf8', input: '' });
    if (done.status !== 0) throw new Error(`rookery ${args.join(' ')}: ${done.stderr}${done.stdout}`);
    return done.stdout;
  }

  private get config(): string {
    return join(this.folder, 'rookery.toml');
  }
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('port'))));
    });
  });
}
