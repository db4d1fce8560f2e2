import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { told } from '../../src/app/told.svelte';
import { language } from '../../src/i18n/index.svelte';
import words from '../../src/i18n/zh/told.json';

const SERVER = new URL('../../../crates/', import.meta.url).pathname;

const nameless = (text: string) => text.replace(/\{[\w:]*\}/g, '{}');

/** What the server's source says in quotes: lines that go on are one, and what differs has no name. */
function source(): string {
  const texts = ['core/src', 'store/src'].flatMap((folder) =>
    readdirSync(join(SERVER, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.rs'))
      .map((name) => readFileSync(join(SERVER, folder, name), 'utf8')),
  );
  return nameless(texts.join('\n').replace(/\\\n\s*/g, ''));
}

describe('sentences of the server', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('are still those that it says', () => {
    const said = source();
    expect(Object.keys(words).filter((key) => !said.includes(nameless(key)))).toEqual([]);
  });

  it('are said in the language of the reader, one by one, with what differs in them', async () => {
    vi.stubGlobal('fetch', async () => new Response(JSON.stringify(words)));
    await language.use('zh', 'told');
    expect(told.say('The password is changed.')).toBe('密码已修改。');
    expect(told.say('ben@nest.example is blocked for everybody here.')).toBe('ben@nest.example 已对这里的所有人屏蔽。');
    expect(told.say('Nothing is done. 3 reports are closed.')).toBe('没有采取措施。 3 条举报已结案。');
    expect(told.say('2 reports of one account, 1 waiting')).toBe('一个账号的2 条举报,1 条待处理');
    expect(told.say('Delivered; not read. By mail: accepted, now.')).toBe('已送达;未读。 通过 邮件:已接收,now。');
    expect(told.say('Something new happened.')).toBe('Something new happened.');
    await language.use('en');
    expect(told.say('The password is changed.')).toBe('The password is changed.');
  });
});
