/** Short sentences that come and go at the edge of the page. */
export interface Toast {
  id: number;
  text: string;
  bad: boolean;
  action?: { label: string; run: () => void };
}

/** Milliseconds that a sentence stays. One with an action stays longer: it has to be reached. */
const STAYS = 5000;
const STAYS_WITH_ACTION = 9000;
/** More at once would be a wall. */
const MOST = 3;

class Toasts {
  list = $state<Toast[]>([]);
  #next = 1;

  /** What is there already is said anew, not twice. One that stays is there until its action is chosen. */
  say(text: string, more: { bad?: boolean; stays?: boolean; action?: Toast['action'] } = {}): void {
    const others = this.list.filter((toast) => toast.text !== text);
    const id = this.#next++;
    this.list = [...others.slice(1 - MOST), { id, text, bad: more.bad ?? false, action: more.action }];
    if (!more.stays) setTimeout(() => this.drop(id), more.action ? STAYS_WITH_ACTION : STAYS);
  }

  drop(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
