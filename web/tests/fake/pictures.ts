/** Pictures that are drawn, not loaded: skies over ice, each of its own seed. */
import { random } from '../../src/art/seed';

export async function picture(seed: number, width: number, height: number): Promise<Blob> {
  const next = random(seed);
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const c = canvas.getContext('2d')!;
  const hue = 190 + next() * 40;
  const dusk = next() > 0.5;
  const sky = c.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, `hsl(${hue} 55% ${dusk ? 32 : 62}%)`);
  sky.addColorStop(0.7, dusk ? `hsl(${20 + next() * 20} 80% 72%)` : `hsl(${hue} 60% 86%)`);
  sky.addColorStop(1, `hsl(${hue} 50% 90%)`);
  c.fillStyle = sky;
  c.fillRect(0, 0, width, height);
  c.fillStyle = 'rgb(255 220 170 / 0.9)';
  c.beginPath();
  c.arc(width * (0.2 + next() * 0.6), height * (0.25 + next() * 0.3), height * 0.07, 0, 7);
  c.fill();
  for (let layer = 0; layer < 4; layer++) {
    c.fillStyle = `hsl(${hue} ${30 - layer * 4}% ${(dusk ? 40 : 66) + layer * 9}%)`;
    c.beginPath();
    c.moveTo(0, height);
    let y = height * (0.5 + layer * 0.12);
    for (let x = 0; x <= width; x += width / 12) {
      y += (next() - 0.5) * height * 0.09;
      c.lineTo(x, y);
    }
    c.lineTo(width, height);
    c.fill();
  }
  return new Promise((done) => canvas.toBlob((blob) => done(blob!), 'image/jpeg', 0.85));
}

/** A second of quiet noise as a WAV file, to have something that plays. */
export function sound(seconds: number): Blob {
  const rate = 8000;
  const samples = Math.floor(rate * seconds);
  const view = new DataView(new ArrayBuffer(44 + samples));
  const text = (at: number, s: string) => [...s].forEach((ch, i) => view.setUint8(at + i, ch.charCodeAt(0)));
  text(0, 'RIFF');
  view.setUint32(4, 36 + samples, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  text(36, 'data');
  view.setUint32(40, samples, true);
  for (let i = 0; i < samples; i++) view.setUint8(44 + i, 128 + 40 * Math.sin(i / 9) * Math.sin(i / 900));
  return new Blob([view], { type: 'audio/wav' });
}
