/** Our own sounds, made when they are heard: no files. Quiet, short, of wood and water. */
let context: AudioContext | undefined;

interface Tone {
  /** Seconds from the beginning. */
  at: number;
  /** From and to, in Hz. */
  from: number;
  to: number;
  lasts: number;
  loud: number;
  shape?: OscillatorType;
}

const SOUNDS: Record<'message' | 'knock' | 'chirp' | 'urgent', Tone[]> = {
  /** Two drops. */
  message: [
    { at: 0, from: 620, to: 880, lasts: 0.09, loud: 0.11 },
    { at: 0.1, from: 780, to: 1180, lasts: 0.14, loud: 0.09 },
  ],
  /** Three knocks on wood. */
  knock: [0, 0.16, 0.32].flatMap((at) => [
    { at, from: 190, to: 90, lasts: 0.09, loud: 0.5, shape: 'triangle' as const },
    { at, from: 900, to: 300, lasts: 0.02, loud: 0.12, shape: 'square' as const },
  ]),
  /** A penguin chick, far away. */
  chirp: [
    { at: 0, from: 1500, to: 2300, lasts: 0.07, loud: 0.05 },
    { at: 0.09, from: 1700, to: 2700, lasts: 0.06, loud: 0.05 },
    { at: 0.17, from: 2400, to: 1800, lasts: 0.09, loud: 0.04 },
  ],
  /** A bell that means it. */
  urgent: [0, 0.22, 0.44].flatMap((at) => [
    { at, from: 988, to: 988, lasts: 0.2, loud: 0.16, shape: 'triangle' as const },
    { at: at + 0.02, from: 1482, to: 1482, lasts: 0.16, loud: 0.07 },
  ]),
};

export function play(name: keyof typeof SOUNDS): void {
  context ??= new AudioContext();
  // Before the first press on the page a browser plays nothing; then there is nothing to wait for.
  if (context.state === 'suspended') void context.resume().catch(() => {});
  const now = context.currentTime + 0.02;
  for (const tone of SOUNDS[name]) {
    const voice = context.createOscillator();
    const volume = context.createGain();
    voice.type = tone.shape ?? 'sine';
    voice.frequency.setValueAtTime(tone.from, now + tone.at);
    voice.frequency.exponentialRampToValueAtTime(tone.to, now + tone.at + tone.lasts);
    volume.gain.setValueAtTime(0, now + tone.at);
    volume.gain.linearRampToValueAtTime(tone.loud, now + tone.at + 0.008);
    volume.gain.exponentialRampToValueAtTime(0.0001, now + tone.at + tone.lasts);
    voice.connect(volume).connect(context.destination);
    voice.start(now + tone.at);
    voice.stop(now + tone.at + tone.lasts + 0.02);
  }
}
