/** Listeners by event. One that throws keeps no other from hearing. */
export class Emitter<Events extends { [K in keyof Events]: (...args: never[]) => void }> {
  private readonly listeners: { [K in keyof Events]?: Set<Events[K]> } = {};

  /** Returns what takes the listener away again. */
  on<K extends keyof Events>(event: K, listener: Events[K]): () => void {
    const set = (this.listeners[event] ??= new Set<Events[K]>());
    set.add(listener);
    return () => set.delete(listener);
  }

  emit<K extends keyof Events>(event: K, ...args: Parameters<Events[K]>): void {
    for (const listener of [...(this.listeners[event] ?? [])]) {
      try {
        listener(...args);
      } catch (error) {
        console.error(`listener of ${String(event)}`, error);
      }
    }
  }
}
