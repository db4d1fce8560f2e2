/** Two devices, one draft: what one types here is newer than what comes from elsewhere. */
import { describe, expect, it } from 'vitest';
import { Compose } from '../../src/app/compose.svelte';

describe('a draft from another device', () => {
  const typed = (text: string): Compose => Object.assign(new Compose('ann@x'), { text });

  it('is taken over where nothing was typed', () => {
    const draft = typed('');
    draft.heard('half a thought');
    expect(draft.text).toBe('half a thought');
    draft.heard('');
    expect(draft.text).toBe('');
  });

  it('is not taken over where something was', () => {
    const draft = typed('');
    draft.heard('half');
    draft.text = 'half here';
    draft.heard('half there');
    expect(draft.text).toBe('half here');
  });
});
