/** Shows the page. Whoever calls it says how to reach the engine: the real one, or the demonstration's. */
import { mount } from 'svelte';
import type { Api } from '../api/api';
import { app } from '../app/app.svelte';
import { config, type Config } from '../app/config';
import { prefs } from '../app/prefs.svelte';
import { watchUpdates } from '../app/updated';
import App from './App.svelte';
import './styles/tokens.css';
import './styles/base.css';

export function start(engine: () => Promise<Api>, known?: Config): void {
  const target = document.getElementById('app')!;
  let made: Promise<Api> | undefined;
  const begin = async () => {
    made ??= engine().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    const served = Promise.all([known ?? config(), prefs.start()]);
    await app.start(
      made,
      served.then(([config]) => config),
    );
  };
  watchUpdates();
  mount(App, { target, props: { begin } });
}
