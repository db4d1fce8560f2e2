/**
 * Where there are no shared workers, the tabs of one's own device choose one among them: it has the engine, and serves the others
 * over a channel. Who holds the lock leads. When that tab is gone the next one has the lock, makes an engine of what is kept, and the
 * others turn to it. A leader that says nothing (a browser may freeze tabs that nobody looks at) loses the lock to who needs it.
 */
import { ApiError, type Api } from '../api/api';
import { apiFor } from '../engine/api';
import { newEngine } from '../engine/make';
import type { ToEngine, ToPage } from './protocol';
import { remote } from './remote';
import { serve, type TabApi } from './serve';

const NAME = 'rookery.engine';
/** Milliseconds that a leader may be silent after it was asked something, twice. */
const PATIENCE = 3_000;
/** Milliseconds between two looks of a tab that somebody sees: who asks nothing would not learn that nothing comes. */
const LOOK = 10_000;

/** `at`: when it was written, in milliseconds since 1970. */
type Letter = { from: string; to: string; at: number; message: ToEngine | ToPage } | { leads: string } | { who: true };

/** A port between two tabs. Closed, it answers for the other that what was asked could not be had. */
class Line {
  onmessage: ((event: MessageEvent) => void) | null = null;
  private readonly asked = new Set<number>();

  constructor(
    private readonly write: (message: ToEngine | ToPage) => void,
    private readonly closed: () => void = () => {},
  ) {}

  postMessage(message: ToEngine | ToPage): void {
    if ('call' in message) this.asked.add(message.call);
    this.write(message);
  }

  take(data: ToEngine | ToPage): void {
    if ('done' in data) this.asked.delete(data.done);
    if ('failed' in data) this.asked.delete(data.failed);
    this.onmessage?.({ data } as MessageEvent);
  }

  close(): void {
    for (const call of this.asked) this.take({ failed: call, code: 'offline', text: '', values: {} });
    this.closed();
  }

  get port(): MessagePort {
    return this as unknown as MessagePort;
  }
}

/** The engine of all tabs. `changed` is given another when this tab has to turn to it. */
export function elect(changed: (api: Api) => void): Promise<Api> {
  return new Promise((resolve, reject) => void new Tab(resolve, reject, changed).begin());
}

class Tab {
  private readonly id = crypto.randomUUID();
  private readonly channel = new BroadcastChannel(NAME);
  /** To the leader. */
  private leader: { id: string; line: Line } | undefined;
  /** As the leader: to the others. */
  private others: Map<string, Line> | undefined;
  private begun = false;
  private heard = 0;
  private doubt: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly first: (api: Api) => void,
    private readonly failed: (error: Error) => void,
    private readonly changed: (api: Api) => void,
  ) {}

  async begin(): Promise<void> {
    // Never let go: the browser does it when the page is gone, and then the leader knows.
    await new Promise<void>((held) => {
      void navigator.locks.request(this.lock, () => (held(), new Promise(() => {})));
    });
    this.channel.onmessage = ({ data }: MessageEvent<Letter>) => this.receive(data);
    this.stand();
    this.post({ who: true });
    this.suspect();
    setInterval(() => document.visibilityState === 'visible' && this.suspect(), LOOK);
  }

  private get lock(): string {
    return `rookery.tab.${this.id}`;
  }

  private post(letter: Letter): void {
    this.channel.postMessage(letter);
  }

  /** Waits until it may lead; or takes the lead from who does not answer. */
  private stand(steal = false): void {
    navigator.locks.request(NAME, { steal }, () => this.lead()).catch((error: Error) => this.deposed(error));
  }

  private async lead(): Promise<never> {
    clearTimeout(this.doubt);
    const engine = newEngine({ keeps: true });
    this.api = () => engine.then((made) => apiFor(made));
    this.others = new Map();
    this.post({ leads: this.id });
    try {
      this.use(apiFor(await engine));
    } catch (error) {
      this.others = undefined;
      throw error;
    }
    this.leader?.line.close();
    this.leader = undefined;
    return new Promise(() => {});
  }

  private api = (): Promise<TabApi> => Promise.reject(new ApiError('offline'));

  /** Another has taken the lead, or this tab could not. Who has led begins anew: what its engine knows is older. */
  private deposed(error: Error): void {
    if (error.name === 'AbortError') return location.reload();
    if (this.begun) return void setTimeout(() => this.stand(), PATIENCE);
    this.channel.close();
    this.failed(error);
  }

  private receive(letter: Letter): void {
    if ('who' in letter) {
      if (this.others) this.post({ leads: this.id });
    } else if ('leads' in letter) {
      this.heard = Date.now();
      if (!this.others && letter.leads !== this.leader?.id) this.follow(letter.leads);
    } else if (letter.to !== this.id) {
      return;
    } else if (this.others) {
      // Who was frozen finds letters that nobody waits for any more.
      if (Date.now() - letter.at < 2 * PATIENCE) this.lineTo(letter.from).take(letter.message);
    } else if (letter.from === this.leader?.id) {
      this.heard = Date.now();
      this.leader.line.take(letter.message);
    }
  }

  /** To another tab, which is served until it is gone. */
  private lineTo(to: string): Line {
    let line = this.others!.get(to);
    if (!line) {
      line = new Line(
        (message) => this.post({ from: this.id, to, at: Date.now(), message }),
        () => this.others?.delete(to),
      );
      this.others!.set(to, line);
      let tab: Promise<TabApi> | undefined;
      serve(line.port, () => (tab ??= this.api()));
    }
    return line;
  }

  private follow(to: string): void {
    const before = this.leader;
    const line = new Line((message) => {
      this.post({ from: this.id, to, at: Date.now(), message });
      if ('call' in message) this.suspect();
    });
    this.leader = { id: to, line };
    const api = remote(line.port);
    line.postMessage({ hello: this.lock });
    this.use(api);
    before?.line.close();
  }

  private use(api: Api): void {
    if (this.begun) return this.changed(api);
    this.begun = true;
    this.first(api);
  }

  /** Something was asked, or it is time to look: if nothing is heard, and nothing when it is asked who leads, this tab does. */
  private suspect(): void {
    if (this.doubt !== undefined || this.others) return;
    const asked = Date.now();
    const later = (then: () => void) => {
      this.doubt = setTimeout(() => {
        this.doubt = undefined;
        if (this.heard < asked && !this.others) then();
      }, PATIENCE);
    };
    later(() => {
      this.post({ who: true });
      later(() => this.stand(true));
    });
  }
}
