/** What we take back before we know its place in the archive is not shown twice. */
import { expect, it } from 'vitest';
import { History } from '../../../src/history/history';
import { ME, ModelServer, Random } from './model';
import { content, said } from './said';
import { STORES } from './stores';

const ANN = 'ann@x';
const OURS = { mine: true, from: ME, sender: ME };

it.each(Object.entries(STORES))('a tombstone takes the place of what was said (%s)', async (_, make) => {
  const server = new ModelServer(new Random(7));
  const answers = setInterval(() => server.queries.shift()?.answer(), 0);
  const history = new History(await make({ now: () => undefined }), server, server.archiveOf, () => undefined);
  await history.begin('', server.end);
  server.commit(ANN, undefined);
  for (const record of server.pushes.splice(0)) await history.live(record);

  await history.hold();
  const slip = said(ANN, 'slip', { ...OURS, refs: ['slip'] });
  const record = server.commit(ANN, undefined, slip);
  await history.live(slip);
  await history.hold();
  const retraction = said(ANN, 'gone', { ...OURS, fact: { is: 'retraction', target: 'slip', reason: '' } });
  // XEP-0424 §5: the archive keeps who, when and the stanza's id, and nothing of what was said.
  const tombstone = { reason: '', moderated: false };
  Object.assign(record, { key: record.id, fact: { is: 'message', content: { ...content(''), tombstone } } });
  server.commit(ANN, undefined, retraction);
  await history.live(retraction);

  expect(await history.catchUp()).toBe(true);
  const { entries } = await history.page(ANN, { latest: true }, 20);
  clearInterval(answers);
  expect(entries.map(({ view }) => view?.retracted !== undefined)).toEqual([false, true]);
  expect(entries[1]).toMatchObject({ key: 'slip', id: record.id });
});
