/** Dialogs that any place may open: `confirm` and `ask` wait for the answer, `show` puts a component there. */
import type { Component } from 'svelte';
import { app } from '../../app/app.svelte';

interface Question {
  title: string;
  text?: string;
  /** What the button says: what will be done, never "OK". */
  action: string;
  danger?: boolean;
  /** A line to fill in; its first content. */
  field?: { label: string; value: string; help?: string; lines?: number; required?: boolean };
}

export type Opened =
  | { kind: 'question'; question: Question; answer: (value: string | null) => void }
  | { kind: 'component'; component: Component<{ onclose: () => void }> };

class Dialogs {
  list = $state.raw<Opened[]>([]);

  constructor() {
    // What was open is nothing for who signs in next.
    app.listen((event) => {
      if (event.type !== 'signed-out') return;
      for (const opened of this.list) if (opened.kind === 'question') opened.answer(null);
      this.list = [];
    });
  }

  async confirm(question: Omit<Question, 'field'>): Promise<boolean> {
    return (await this.#put(question)) !== null;
  }

  /** The line that was filled in, or null. */
  ask(question: Question & { field: NonNullable<Question['field']> }): Promise<string | null> {
    return this.#put(question);
  }

  /** A dialog with a component in it, which has its own `Dialog`. */
  show(component: Component<{ onclose: () => void }>): void {
    this.list = [...this.list, { kind: 'component', component }];
  }

  drop(opened: Opened): void {
    this.list = this.list.filter((one) => one !== opened);
  }

  #put(question: Question): Promise<string | null> {
    return new Promise((done) => {
      const opened: Opened = {
        kind: 'question',
        question,
        answer: (value) => {
          this.drop(opened);
          done(value);
        },
      };
      this.list = [...this.list, opened];
    });
  }
}

export const dialogs = new Dialogs();
