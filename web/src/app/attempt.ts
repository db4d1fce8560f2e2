import { sentence } from './errors';
import { toasts } from './toasts.svelte';

/** Does something that may fail; if it does, says why in a toast. Returns whether it worked. */
export async function attempt(what: () => Promise<unknown>, done?: string): Promise<boolean> {
  try {
    await what();
    if (done) toasts.say(done);
    return true;
  } catch (error) {
    toasts.say(sentence(error), { bad: true });
    return false;
  }
}
