/**
 * An engine without a network: it has the sample world in memory and answers as the real one would. Only for development, for
 * tests and for pictures. Everything follows from `seed` and `now`, except what people answer when it is `lively`.
 */
import type { Api } from '../../src/api/api';
import { account } from './account';
import { Administration, COMMANDS } from './administration';
import { groups } from './groups';
import { people } from './people';
import { talk } from './talk';
import { World, type FakeOptions } from './world';

/** Beyond what a page asks: what befalls it, for tests. */
export type FakeEngine = Api & Pick<World, 'say' | 'churn' | 'connect'>;

export function fakeEngine(options: FakeOptions = {}): FakeEngine {
  const world = new World(options);
  const administration = new Administration(world.options.now);
  return {
    ...account(world),
    ...people(world),
    ...talk(world),
    ...groups(world),

    async commands() {
      await world.wait();
      return COMMANDS;
    },

    async command(step) {
      await world.wait();
      return administration.step(step);
    },

    say: (address, body) => world.say(address, body),
    churn: (count) => world.churn(count),
    connect: (connection) => world.connect(connection),
  };
}
