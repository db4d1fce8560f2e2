// Writes NAME.br and NAME.gz beside each file of a folder that gets clearly smaller by it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

// What a compressed form must save to be worth its place in the program: pictures and fonts do not.
const WORTH = 0.95;

const forms = {
  br: (bytes) =>
    brotliCompressSync(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  gz: (bytes) => gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }),
};

const folder = process.argv[2];
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath, entry.name);
  const bytes = readFileSync(path);
  for (const [end, compressed] of Object.entries(forms).map(([end, form]) => [end, form(bytes)])) {
    if (compressed.length < bytes.length * WORTH) writeFileSync(`${path}.${end}`, compressed);
  }
}
