/** How things are measured: in the page, where no message to it is part of the figure. */
import type { CDPSession, Page } from 'playwright-core';

/** One line of the report. Several runs give `values`; a count that must hold is a single one. */
export interface Figure {
  name: string;
  values: number[];
  unit: 'ms' | 'px' | 'MB' | 'kB' | 'rows' | 'trips' | '%';
  /** What it should be at most, for this statistic of the values. */
  budget?: number;
  by?: 'median' | 'p95' | 'max';
  note?: string;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** The value that a figure is judged by. */
export function judged({ values, by = 'median' }: Figure): number {
  return by === 'max' ? Math.max(...values) : quantile(values, by === 'p95' ? 0.95 : 0.5);
}

export interface Network {
  /** Bits in a second, each way. */
  bits: number;
  /** Milliseconds from the request to the first byte of the answer, added to what loopback takes. */
  latency: number;
}

/** Makes a page's processor slower, and its network. */
export async function slow(page: Page, { cpu = 1, network }: { cpu?: number; network?: Network }): Promise<CDPSession> {
  const devtools = await page.context().newCDPSession(page);
  if (cpu !== 1) await devtools.send('Emulation.setCPUThrottlingRate', { rate: cpu });
  if (network) {
    await devtools.send('Network.enable');
    const bytes = network.bits / 8;
    await devtools.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: network.latency,
      downloadThroughput: bytes,
      uploadThroughput: bytes,
    });
  }
  return devtools;
}

/** Milliseconds of its processor's time that the page's main thread has used so far: what others do beside it is not in it. */
export async function processorTime(devtools: CDPSession): Promise<number> {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return (metrics.find((one) => one.name === 'TaskDuration')?.value ?? NaN) * 1000;
}

/** Counts of what is in memory: bytes of the heap, nodes, listeners. */
export interface Memory {
  heap: number;
  nodes: number;
  listeners: number;
}

/** Collections that are forced at most: what a page holds that long it would hold for ever. */
const COLLECTIONS = 20;
/** Milliseconds for the browser to sweep up what was collected; it does so bit by bit, after it has said that it is done. */
const SWEEP = 200;

/** What is left when all has gone that can go. Handles of elements that a test has are not collected, nor what they are in. */
export async function memory(page: Page): Promise<Memory> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const counted = async (): Promise<Memory> => {
    await devtools.send('HeapProfiler.collectGarbage');
    await page.waitForTimeout(SWEEP);
    const { metrics } = await devtools.send('Performance.getMetrics');
    const get = (name: string) => metrics.find((one) => one.name === name)?.value ?? NaN;
    return { heap: get('JSHeapUsedSize'), nodes: get('Nodes'), listeners: get('JSEventListeners') };
  };
  let least = await counted();
  for (let i = 0, still = 0; i < COLLECTIONS && still < 3; i++) {
    const now = await counted();
    still = now.nodes < least.nodes || now.listeners < least.listeners ? 0 : still + 1;
    least = now;
  }
  await devtools.detach();
  return least;
}

/** What went over a WebSocket, and when: seconds of the browser's clock. */
export interface Frame {
  at: number;
  text: string;
  sent: boolean;
}

/**
 * How many times something was asked because of an answer, since `from`: a request belongs to the trip after the last one of
 * which an answer had come.
 */
export function trips(frames: readonly Frame[], from: number): number {
  const trip = new Map<string, number>();
  let done = 0;
  for (const { text, sent } of frames.filter((frame) => frame.at >= from)) {
    const head = /^<iq\b[^>]*>/.exec(text)?.[0] ?? '';
    const id = /\bid=["']([^"']+)/.exec(head)?.[1];
    const type = /\btype=["'](\w+)/.exec(head)?.[1];
    if (id === undefined) continue;
    if (sent && (type === 'get' || type === 'set')) trip.set(id, done + 1);
    else if (!sent && (type === 'result' || type === 'error')) done = Math.max(done, trip.get(id) ?? 0);
  }
  return done;
}

/** What goes over the WebSockets of a page from now on. */
export async function listen(page: Page): Promise<Frame[]> {
  const frames: Frame[] = [];
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  const note = (sent: boolean) => (told: { timestamp: number; response: { payloadData: string } }) =>
    frames.push({ at: told.timestamp, text: told.response.payloadData, sent });
  devtools.on('Network.webSocketFrameSent', note(true));
  devtools.on('Network.webSocketFrameReceived', note(false));
  return frames;
}

/** What `instruments` puts into a page. */
export interface Instruments {
  /** Resolves after the next frame has been drawn, with the time. */
  painted(): Promise<number>;
  /** Resolves with the time at which something that fits this selector has been drawn. */
  shown(selector: string): Promise<number>;
  /** Does something, and says how many milliseconds it took until what fits the selector was drawn. */
  until(act: () => void, selector: string): Promise<number>;
  /** Milliseconds from the next event of this type to the frame after it. */
  next(type: string): Promise<number>;
  /** Scrolls by so many px in each frame; gives the times of the frames and the most rows that were there. */
  scroll(box: Element, by: number, frames: number, rows: string): Promise<{ frames: number[]; rows: number }>;
}

declare global {
  interface Window {
    bench: Instruments;
  }
}

/** Runs in the page, before anything of its own. */
export function instruments(): void {
  const painted = () =>
    new Promise<number>((done) =>
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => done(performance.now());
        port2.postMessage(0);
      }),
    );
  const shown = (selector: string) =>
    new Promise<number>((done) => {
      const there = () => document.querySelector(selector) !== null;
      if (there()) return void painted().then(done);
      const watch = new MutationObserver(() => {
        if (!there()) return;
        watch.disconnect();
        void painted().then(done);
      });
      watch.observe(document, { subtree: true, childList: true, attributes: true });
    });
  window.bench = {
    painted,
    shown,
    async until(act, selector) {
      const from = performance.now();
      act();
      return (await shown(selector)) - from;
    },
    next: (type) =>
      new Promise((done) =>
        addEventListener(type, (event) => void painted().then((at) => done(at - event.timeStamp)), {
          once: true,
          capture: true,
        }),
      ),
    scroll: (box, by, count, rows) =>
      new Promise((done) => {
        const frames: number[] = [];
        let most = 0;
        let last = performance.now();
        const step = (now: number) => {
          frames.push(now - last);
          last = now;
          most = Math.max(most, document.querySelectorAll(rows).length);
          if (frames.length > count) return done({ frames: frames.slice(1), rows: most });
          box.scrollTop += by;
          requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
      }),
  };
}
