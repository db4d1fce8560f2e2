/** How much room there is. */
class Screen {
  /** Room for the lists beside a conversation. */
  wide = $state(true);
  /** Room for a third pane. */
  roomy = $state(true);
  /** Fingers, no pointer: there are no hover and no keyboard to count on. */
  touch = $state(false);

  constructor() {
    if (typeof matchMedia === 'undefined') return;
    this.#watch('(min-width: 48rem)', (on) => (this.wide = on));
    this.#watch('(min-width: 72rem)', (on) => (this.roomy = on));
    this.#watch('(pointer: coarse)', (on) => (this.touch = on));
  }

  #watch(query: string, set: (on: boolean) => void): void {
    const list = matchMedia(query);
    set(list.matches);
    list.addEventListener('change', (event) => set(event.matches));
  }
}

export const screen = new Screen();
