/** The pages of the settings, in their order. */
import type { IconName } from '../../art/icons';

export const SECTIONS = ['profile', 'notifications', 'privacy', 'reach', 'devices', 'appearance', 'account'] as const;
export type Section = (typeof SECTIONS)[number];

export const SIGNS: Record<Section, IconName> = {
  profile: 'contacts',
  notifications: 'bell',
  privacy: 'shield',
  reach: 'megaphone',
  devices: 'devices',
  appearance: 'palette',
  account: 'lock',
};
