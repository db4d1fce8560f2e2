/** Who a penguin is: traits drawn from an address. `Penguin.svelte` draws them. */
import { hash, random } from './seed';

/** Ice, sky, moss, dawn: soft grounds on which slate and white both stand out. */
const GROUNDS = [
  '#cfe6f5',
  '#bfe3e6',
  '#d3e8d3',
  '#f6dfc8',
  '#f7d9d6',
  '#e3dcf3',
  '#d5dff4',
  '#f4e7b8',
  '#c9ead9',
  '#ead9e9',
  '#dbe4ea',
  '#fbdcc0',
];
const COATS = ['#2b3a4a', '#33475b', '#26343f', '#3b4657', '#2f4858', '#44475f', '#4a5a6a', '#384350'];
const BEAKS = ['#ff9a3c', '#f58a2c', '#ffad57', '#f07f3c'];
const WOOL = ['#d9574a', '#3f86c9', '#4d9a6a', '#8b6bc0', '#d98a2b', '#c95f8f'];

export type Face = 'mask' | 'rings' | 'patch' | 'cheeks' | 'crest' | 'chick';
export type Eyes = 'dots' | 'happy' | 'wide' | 'sleepy' | 'wink';
export type Wear = 'none' | 'glasses' | 'specs' | 'earmuffs' | 'beanie' | 'flower' | 'headphones' | 'bow' | 'leaf';

export interface Traits {
  ground: string;
  coat: string;
  beak: string;
  wool: string;
  face: Face;
  eyes: Eyes;
  wear: Wear;
  /** Degrees by which the head leans. */
  lean: number;
}

export function traits(address: string): Traits {
  const next = random(hash(address));
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  return {
    ground: pick(GROUNDS),
    coat: pick(COATS),
    beak: pick(BEAKS),
    wool: pick(WOOL),
    face: pick<Face>(['mask', 'mask', 'rings', 'patch', 'cheeks', 'crest', 'chick']),
    eyes: pick<Eyes>(['dots', 'dots', 'happy', 'wide', 'sleepy', 'wink']),
    wear: pick<Wear>([
      'none',
      'none',
      'none',
      'none',
      'glasses',
      'specs',
      'earmuffs',
      'beanie',
      'flower',
      'headphones',
      'bow',
      'leaf',
    ]),
    lean: Math.round((next() - 0.5) * 12),
  };
}
