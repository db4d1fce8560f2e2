/** Our own stickers, by the names under which they are sent. */
import angry from './angry.svg?url';
import coffee from './coffee.svg?url';
import cold from './cold.svg?url';
import cry from './cry.svg?url';
import egg from './egg.svg?url';
import fish from './fish.svg?url';
import laugh from './laugh.svg?url';
import love from './love.svg?url';
import ok from './ok.svg?url';
import party from './party.svg?url';
import rain from './rain.svg?url';
import shock from './shock.svg?url';
import sleep from './sleep.svg?url';
import thanks from './thanks.svg?url';
import think from './think.svg?url';
import wave from './wave.svg?url';

export const stickers = {
  wave,
  love,
  laugh,
  ok,
  thanks,
  party,
  coffee,
  fish,
  egg,
  think,
  shock,
  cry,
  angry,
  sleep,
  cold,
  rain,
};

export type StickerName = keyof typeof stickers;
