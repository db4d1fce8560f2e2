/** A mail server on this machine that takes every mail and sends none on; and what Rookery must know to use it. */
import { type Server as Listener, type Socket, connect, createServer } from 'node:net';

export interface Mail {
  to: string;
  /** Head and bodies, as they came, without the dots of the way. */
  data: string;
  /** The plain text, decoded. */
  text: string;
}

export class Smarthost {
  private mails: Mail[] = [];
  private waiting: ((mail: Mail) => void)[] = [];

  private constructor(
    private readonly listener: Listener,
    readonly port: number,
  ) {}

  static async start(): Promise<Smarthost> {
    const listener = createServer();
    const port = await new Promise<number>((resolve) =>
      listener.listen(0, '127.0.0.1', () => resolve((listener.address() as { port: number }).port)),
    );
    const smarthost = new Smarthost(listener, port);
    listener.on('connection', (socket) => smarthost.speak(socket));
    return smarthost;
  }

  /** For the configuration of a server whose mail goes out here; its own door for mail is at `inward`. */
  config(inward: number): string {
    return [
      '[http]',
      'public_url = "{url}"',
      '[mail]',
      'enabled = true',
      `listen = ["127.0.0.1:${inward}"]`,
      'imap_tls = []',
      'verify = false',
      `smarthost = "smtp://127.0.0.1:${this.port}"`,
    ].join('\n');
  }

  /** The next mail that nobody has taken yet. */
  next(): Promise<Mail> {
    const mail = this.mails.shift();
    return mail ? Promise.resolve(mail) : new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Hands a mail to the server whose door is at this port; rejects with what it says instead of taking it. */
  async send(port: number, from: string, to: string, text: string): Promise<void> {
    const lines = [
      'HELO smarthost',
      `MAIL FROM:<${from}>`,
      `RCPT TO:<${to}>`,
      'DATA',
      `From: ${from}\r\nTo: ${to}\r\nSubject: Re:\r\n\r\n${text}\r\n.`,
      'QUIT',
    ];
    const socket = connect(port, '127.0.0.1');
    socket.setEncoding('utf8');
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', () => resolve());
      socket.on('data', (said: string) => {
        if (/^[45]/.test(said)) reject(new Error(said));
        const next = lines.shift();
        if (next === undefined) socket.end();
        else socket.write(next + '\r\n');
      });
    });
  }

  end(): void {
    this.listener.close();
  }

  private speak(socket: Socket): void {
    let read = '';
    let to = '';
    let inData = false;
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.write('220 smarthost\r\n');
    socket.on('data', (more: string) => {
      read += more;
      for (;;) {
        const end = read.indexOf(inData ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const said = read.slice(0, end);
        read = read.slice(end + (inData ? 5 : 2));
        if (inData) {
          inData = false;
          this.took(to, said.replaceAll('\r\n..', '\r\n.'));
          socket.write('250 taken\r\n');
        } else if (/^data$/i.test(said)) {
          inData = true;
          socket.write('354 go on\r\n');
        } else {
          to = /^rcpt to:<([^>]*)>/i.exec(said)?.[1] ?? to;
          socket.write('250 smarthost\r\n');
        }
      }
    });
  }

  private took(to: string, data: string): void {
    const mail = { to, data, text: plain(data) };
    const waiting = this.waiting.shift();
    if (waiting) waiting(mail);
    else this.mails.push(mail);
  }
}

/** The first part that is plain text. */
function plain(data: string): string {
  const at = data.search(/^content-type: text\/plain/im);
  if (at < 0) return '';
  const rest = data.slice(at);
  const blank = rest.indexOf('\r\n\r\n');
  const head = rest.slice(0, blank);
  const encoded = rest.slice(blank + 4).split('\r\n--')[0] ?? '';
  if (/base64/i.test(head)) return Buffer.from(encoded, 'base64').toString('utf8');
  if (!/quoted-printable/i.test(head)) return encoded;
  const bytes = encoded
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
