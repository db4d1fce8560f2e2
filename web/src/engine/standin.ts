/** Stands in for the conversations until they are there: rows for whoever writes, nothing else. */
import { ApiError } from '../api/api';
import type { Conversations, Surroundings } from './conversations';

const absent = (): Promise<never> => Promise.reject(new ApiError('feature-not-implemented'));

export function standIn(_: Surroundings): Conversations {
  return {
    list: () => [],
    restore: () => Promise.resolve(),
    begin: () => Promise.resolve(),
    resumed: () => {},
    receive: () => {},
    changed: () => {},
    joined: () => {},
    watched: () => {},
    stop: () => Promise.resolve(),
    open: absent,
    history: absent,
    send: absent,
    retry: absent,
    discard: absent,
    edit: absent,
    retract: absent,
    react: absent,
    knock: absent,
    markRead: absent,
    typing: () => {},
    setDraft: () => {},
    close: absent,
    search: absent,
    filesOf: absent,
    preview: absent,
  };
}
