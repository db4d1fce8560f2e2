/** Makes an engine in this thread, with what the server says of itself. */
import type { Api } from '../api/api';
import { apiFor } from './api';
import type { ServerConfig } from './context';
import { Engine, openVault } from './engine';
import { makeMessages } from './messages/messages';

/** An engine for one tab: the page's own. */
export async function makeEngine(options: { keeps: boolean }): Promise<Api> {
  return apiFor(await newEngine(options));
}

export async function newEngine({ keeps }: { keeps: boolean }): Promise<Engine> {
  // Both at once: what is kept is open by the time that the server has answered.
  const vault = openVault(keeps);
  const config = await readConfig();
  return new Engine({ config, keeps, vault, conversations: makeMessages, device: deviceName(navigator.userAgent) });
}

async function readConfig(): Promise<ServerConfig> {
  const answer = await fetch('/config.json', { cache: 'no-store' });
  if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
  const config = (await answer.json()) as Omit<ServerConfig, 'origin'>;
  return { ...config, origin: location.origin };
}

/** What the list of devices calls this one: browser and system, as people know them. */
export function deviceName(agent: string): string {
  const find = (names: [RegExp, string][]) => names.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = find([
    [/Edg/, 'Edge'],
    [/OPR|Opera/, 'Opera'],
    [/Firefox|FxiOS/, 'Firefox'],
    [/Chrom(e|ium)|CriOS/, 'Chrome'],
    [/Safari/, 'Safari'],
  ]);
  const system = find([
    [/Android/, 'Android'],
    [/iPhone/, 'iPhone'],
    [/iPad/, 'iPad'],
    [/Windows/, 'Windows'],
    [/Mac OS/, 'macOS'],
    [/CrOS/, 'ChromeOS'],
    [/Linux/, 'Linux'],
  ]);
  return [browser, system].filter(Boolean).join(' · ');
}
