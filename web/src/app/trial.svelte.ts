import { sentence } from './errors';

/** Something that is tried in a place of its own: whether it is under way, and the sentence that says why it failed. */
export class Trial {
  busy = $state(false);
  wrong = $state('');

  /** `say`: what is said of an error here; nothing where something else shows it. */
  constructor(private readonly say: (error: unknown) => string = sentence) {}

  /** Tries; whether it worked. */
  async run(what: () => Promise<unknown>): Promise<boolean> {
    this.busy = true;
    this.wrong = '';
    try {
      await what();
      return true;
    } catch (error) {
      this.wrong = this.say(error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
