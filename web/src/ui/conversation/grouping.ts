import type { Message } from '../../api/model';

/** Messages further apart than this do not belong to one breath, in ms. */
const BREATH = 5 * 60_000;
const ALONE: readonly Message['kind'][] = ['knock', 'event', 'invitation'];

/** Whether `next` continues what `message` began: same sender, soon after. */
export function joinsWith(message: Message | undefined, next: Message): boolean {
  if (!message || ALONE.includes(message.kind) || ALONE.includes(next.kind)) return false;
  return (
    message.mine === next.mine &&
    message.from === next.from &&
    message.sender === next.sender &&
    next.at - message.at < BREATH
  );
}
