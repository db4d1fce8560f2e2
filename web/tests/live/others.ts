/** Prosody and ejabberd, as Debian packages them, in a folder of their own: other servers keep the engine honest. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './server';

const PROSODY = '/usr/bin/prosody';
const PROSODY_SASL2 = '/usr/lib/prosody/modules/mod_sasl2_bind2';
const EJABBERD = findEjabberd();

function findEjabberd(): string | undefined {
  const libraries = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib'];
  for (const folder of libraries.filter((folder) => existsSync(folder))) {
    const name = readdirSync(folder).find((name) => /^ejabberd-[0-9.]+$/.test(name));
    if (name !== undefined && existsSync('/usr/bin/erl')) return join(folder, name);
  }
  return undefined;
}

/** Why a server cannot be tested, or nothing. */
export const MISSING = {
  prosody: existsSync(PROSODY) ? undefined : 'the package prosody is not installed',
  'prosody with SASL2': existsSync(PROSODY_SASL2) ? undefined : 'the package prosody-modules is not installed',
  ejabberd: EJABBERD ? undefined : 'the package ejabberd is not installed',
} as const;

export type Kind = keyof typeof MISSING;

export class Other {
  readonly domain = 'localhost';
  private process: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    readonly websocket: string,
    readonly url: string,
  ) {}

  static async start(kind: Kind): Promise<Other> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'other-live-'));
    const path = kind === 'ejabberd' ? 'websocket' : 'xmpp-websocket';
    const url = `http://127.0.0.1:${port}`;
    const other = new Other(folder, `ws://127.0.0.1:${port}/${path}`, url);
    other.process = kind === 'ejabberd' ? ejabberd(folder, port) : prosody(folder, port, kind !== 'prosody');
    const log = createWriteStream(join(folder, 'output'));
    other.process.stdout?.pipe(log);
    other.process.stderr?.pipe(log);
    for (let tries = 0; tries < 300; tries++) {
      if (other.process.exitCode !== null) throw new Error(`${kind} ended; see ${folder}`);
      if (await fetch(`${url}/${path}`).catch(() => undefined)) return other;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await other.end();
    throw new Error(`${kind} does not answer; see ${folder}`);
  }

  async remove(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async end(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
}

function prosody(folder: string, port: number, sasl2: boolean): ChildProcess {
  const modules = ['roster', 'saslauth', 'disco', 'carbons', 'pep', 'smacks', 'csi', 'csi_simple', 'blocklist', 'ping'];
  modules.push('mam', 'vcard4', 'vcard_legacy', 'bookmarks', 'register_ibr', 'http', 'websocket');
  // Debian's modules for tokens and for resumption inside of SASL2 are for a later Prosody than Debian's.
  if (sasl2) modules.push('sasl2', 'sasl2_bind2');
  mkdirSync(join(folder, 'data'));
  writeFileSync(
    join(folder, 'prosody.cfg.lua'),
    `run_as_root = true
pidfile = "${folder}/pid"
data_path = "${folder}/data"
log = { info = "*console" }
modules_enabled = { ${modules.map((name) => `"${name}"`).join('; ')} }
modules_disabled = { "s2s" }
authentication = "internal_hashed"
storage = "internal"
allow_registration = true
consider_websocket_secure = true
http_ports = { ${port} }
http_interfaces = { "127.0.0.1" }
https_ports = {}
c2s_ports = {}
c2s_direct_tls_ports = {}
http_default_host = "localhost"
VirtualHost "localhost"
Component "groups.localhost" "muc"
  modules_enabled = { "muc_mam" }
  restrict_room_creation = false
`,
  );
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  return spawn(PROSODY, ['-F', '--config', join(folder, 'prosody.cfg.lua')], { stdio });
}

function ejabberd(folder: string, port: number): ChildProcess {
  const modules = [
    'mod_disco',
    'mod_roster',
    'mod_ping',
    'mod_blocking',
    'mod_privacy',
    'mod_stream_mgmt',
    'mod_carboncopy',
  ];
  modules.push('mod_caps', 'mod_client_state', 'mod_last', 'mod_vcard');
  writeFileSync(
    join(folder, 'ejabberd.yml'),
    `hosts: [localhost]
loglevel: warning
auth_password_format: scram
registration_timeout: infinity
listen:
  - port: ${port}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /websocket: ejabberd_http_ws
modules:
${modules.map((name) => `  ${name}: {}`).join('\n')}
  mod_register:
    ip_access: all
    access: all
  mod_mam:
    default: always
  mod_muc:
    host: groups.localhost
    default_room_options:
      mam: true
  mod_pubsub:
    plugins: [flat, pep]
`,
  );
  const args = ['-noshell', '-mnesia', 'dir', `"${folder}/mnesia"`, '-s', 'ejabberd'];
  return spawn('/usr/bin/erl', ['-pa', join(EJABBERD!, 'ebin'), ...args], {
    // Without a name it needs no daemon for names.
    env: {
      ...process.env,
      HOME: folder,
      EJABBERD_CONFIG_PATH: join(folder, 'ejabberd.yml'),
      EJABBERD_LOG_PATH: join(folder, 'log'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
