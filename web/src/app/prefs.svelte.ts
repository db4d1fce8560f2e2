/** How this page looks and sounds. Kept in this browser on one's own device only; on any other it goes with the tab. */
import { language, preferred, type Tag } from '../i18n/index.svelte';
import type { Place } from '../api/model';

export type Theme = 'auto' | 'light' | 'dark';
const WHERE = 'rookery.prefs';

class Prefs {
  theme = $state<Theme>('auto');
  sounds = $state(true);
  /** A soft sound when a contact comes online. */
  arrivals = $state(true);
  /** The return key sends; otherwise it begins a new line. */
  returnSends = $state(true);
  /** Width of the lists on a wide page, in px. */
  side = $state(320);
  #kept = false;

  /** This is somebody's own device, who is probably remembered. */
  get kept(): boolean {
    return this.#kept;
  }

  /** Reads what is kept, shows it, and fetches the language. */
  async start(): Promise<void> {
    let tag: Tag = preferred();
    try {
      const kept = localStorage.getItem(WHERE);
      if (kept !== null) {
        this.#kept = true;
        const { language: chosen, ...more } = JSON.parse(kept);
        if (chosen) tag = chosen;
        Object.assign(this, more);
      }
    } catch {
      // A browser without storage, or something else's entry: the usual then.
    }
    this.#dress();
    // Where somebody is remembered, the sentences of the main screen will be wanted at once.
    await language.use(tag, ...(this.#kept ? (['main'] as const) : [])).catch(() => {});
    this.#label();
  }

  set(change: Partial<Pick<Prefs, 'theme' | 'sounds' | 'arrivals' | 'returnSends' | 'side'>>): void {
    Object.assign(this, change);
    this.#dress();
    this.#save();
  }

  async speak(tag: Tag): Promise<void> {
    await language.use(tag);
    this.#label();
    this.#save();
  }

  /** From now on this browser remembers, or forgets. */
  keep(place: Place | null): void {
    this.#kept = place === 'own';
    try {
      if (this.#kept) this.#save();
      else localStorage.removeItem(WHERE);
    } catch {
      // Nothing is kept there anyway.
    }
  }

  #save(): void {
    if (!this.#kept) return;
    const { theme, sounds, arrivals, returnSends, side } = this;
    try {
      localStorage.setItem(
        WHERE,
        JSON.stringify({ language: language.tag, theme, sounds, arrivals, returnSends, side }),
      );
    } catch {
      // Full or forbidden: it stays as it is until the tab is closed.
    }
  }

  #dress(): void {
    if (this.theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.theme;
  }

  #label(): void {
    document.documentElement.lang = language.locale;
    document.documentElement.dir = language.dir;
  }
}

export const prefs = new Prefs();
