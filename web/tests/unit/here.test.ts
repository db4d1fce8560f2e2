import { afterEach, describe, expect, test } from 'vitest';
import { here, know, stay } from '../../src/app/here';

describe('files by the way that the page came', () => {
  afterEach(() => stay(undefined));

  test('ours are asked for from where the page came, others stay as they are', () => {
    know({ base: 'https://example.org' });
    expect(here('https://example.org/upload/a/cat.jpg')).toBe('/upload/a/cat.jpg');
    expect(here('https://example.org.evil.example/cat.jpg')).toBe('https://example.org.evil.example/cat.jpg');
  });

  test('on a public computer the browser is asked to keep nothing of ours', () => {
    know({ base: 'https://example.org/' });
    stay('public');
    expect(here('https://example.org/upload/a/cat.jpg')).toBe('/upload/a/cat.jpg?once');
    expect(here('https://example.org/upload/a/cat.jpg?thumbnail')).toBe('/upload/a/cat.jpg?thumbnail&once');
    expect(here('https://elsewhere.example/cat.jpg')).toBe('https://elsewhere.example/cat.jpg');
    stay('own');
    expect(here('https://example.org/upload/a/cat.jpg')).toBe('/upload/a/cat.jpg');
  });
});
