/** Files before they are sent: their sizes on the screen, smaller pictures of them. */
import type { FileInfo, OutgoingFile } from '../api/model';

/** Longest edge of the picture that is shown at once, in px: twice what a bubble shows. */
const THUMBNAIL = 640;
/** Pictures smaller than this need no smaller one. */
const SMALL_ENOUGH = 150_000;

export function isPicture(file: Pick<FileInfo, 'type'>): boolean {
  // SVG can contain anything: it is a file, not a picture to show.
  return /^image\/(?:png|jpeg|gif|webp|avif|bmp)$/.test(file.type);
}

export function isSound(file: Pick<FileInfo, 'type'>): boolean {
  return file.type.startsWith('audio/');
}

export function isVideo(file: Pick<FileInfo, 'type'>): boolean {
  return /^video\/(?:mp4|webm|ogg|quicktime)$/.test(file.type);
}

/** With width, height and thumbnail if it is a picture that this browser can read. */
export async function prepare(file: File): Promise<OutgoingFile> {
  const plain = { blob: file, name: file.name, type: file.type || 'application/octet-stream' };
  if (!isPicture(plain)) return plain;
  try {
    const bitmap = await createImageBitmap(file);
    const { width, height } = bitmap;
    const thumbnail = file.size > SMALL_ENOUGH ? await shrink(bitmap, THUMBNAIL) : undefined;
    bitmap.close();
    return { ...plain, width, height, thumbnail };
  } catch {
    return plain;
  }
}

/** A square picture for an avatar, cut from the middle. */
export async function square(file: Blob, edge: number): Promise<{ blob: Blob; width: number; height: number }> {
  const bitmap = await createImageBitmap(file);
  const side = Math.min(bitmap.width, bitmap.height);
  const canvas = new OffscreenCanvas(edge, edge);
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, edge, edge);
  bitmap.close();
  return { blob: await canvas.convertToBlob({ type: 'image/png' }), width: edge, height: edge };
}

async function shrink(bitmap: ImageBitmap, longest: number): Promise<OutgoingFile['thumbnail']> {
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')!.drawImage(bitmap, 0, 0, width, height);
  return { blob: await canvas.convertToBlob({ type: 'image/webp', quality: 0.75 }), width, height };
}
