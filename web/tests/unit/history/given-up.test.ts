/** Catching up may be too much; what we said then must not stay where it was only guessed to stand. */
import { expect, it } from 'vitest';
import { History } from '../../../src/history/history';
import { ME, ModelServer, Random } from './model';
import { said } from './said';
import { STORES } from './stores';

const ANN = 'ann@x';

/** All of it, paged back from the end. */
async function whole(history: History): Promise<string[]> {
  let slice = await history.page(ANN, { latest: true }, 20);
  const keys = slice.entries.map(({ key }) => key);
  while (!slice.atStart) {
    expect(slice.cutBefore).toBe(false);
    slice = await history.page(ANN, { before: keys[0]! }, 20);
    keys.unshift(...slice.entries.map(({ key }) => key));
  }
  return keys;
}

it.each(Object.entries(STORES))(
  'what we said stands where the archive has it, though catching up was given up (%s)',
  { timeout: 60_000 },
  async (_, make) => {
    for (const sentAgain of [false, true]) {
      const server = new ModelServer(new Random(7));
      const answers = setInterval(() => server.queries.shift()?.answer(), 0);
      const history = new History(await make({ now: () => undefined }), server, server.archiveOf, () => undefined);
      const hear = async () => {
        for (const record of server.pushes.splice(0)) await history.live(record);
      };
      /** Ours is in the archive before theirs, but theirs comes first, and then the acknowledgement. */
      const crossing = async (key: string) => {
        await history.hold();
        const ours = said(ANN, key, { mine: true, from: ME, sender: ME, refs: [key] });
        server.commit(ANN, undefined, ours);
        server.commit(ANN, undefined);
        await hear();
        await history.live(ours);
      };
      await history.begin('', server.end);
      server.commit(ANN, undefined);
      await hear();
      await crossing('ours1');
      server.commit(ANN, undefined);
      await hear();
      await crossing('ours2');
      server.cut();

      // More is missed than is read at once.
      for (let i = 0; i < 300; i++) server.commit(ANN, undefined);
      server.pushes.length = 0;
      await history.begin('', server.end);
      if (sentAgain) await crossing('ours3');
      expect(await history.catchUp()).toBe(false);
      server.commit(ANN, undefined);
      await hear();
      expect(await whole(history)).toEqual(server.messages(ANN).map(({ key }) => key));
      clearInterval(answers);
    }
  },
);
