/** Every screen of the messenger: how to come to it in the demonstration. Used for pictures and for axe. */
/** @typedef {import('playwright-core').Page} Page */

/** The sample world's time, so that pictures are the same every day: a Monday afternoon. */
export const NOW = Date.UTC(2026, 10, 23, 15, 40);

/** With whom most pictures are, and in which group. */
const FRIEND = '10101@nest.example';
const GROUP = '700011@groups.nest.example';

/**
 * `alike`: on a phone it is the same, only narrower.
 * @type {{ name: string, query?: string, hash?: string, alike?: boolean, then?: (page: Page) => Promise<unknown> }[]}
 */
export const SCREENS = [
  { name: 'sign-in' },
  {
    name: 'sign-in-wrong',
    alike: true,
    then: async (page) => {
      await page.fill('input[name=username]', '10042');
      await page.fill('input[name=password]', 'wrong');
      await page.click('button[type=submit]');
      await page.waitForSelector('[role=alert]');
    },
  },
  { name: 'sign-up', alike: true, hash: '#/sign-up' },
  { name: 'invite', alike: true, hash: '#/invite/7Kq2mVx9TzRw' },
  {
    name: 'number-card',
    alike: true,
    hash: '#/sign-up',
    then: async (page) => {
      await page.fill('input[autocomplete=nickname]', 'Mia');
      await page.fill('input[autocomplete=new-password]', 'a long password');
      await page.click('button[type=submit]');
      await page.waitForSelector('.nest');
    },
  },
  {
    name: 'pair',
    then: async (page) => {
      const json = { id: 'a'.repeat(26), secret: 's', code: '482915307', seconds: 120 };
      await page.route('**/account/pair', (route) => route.fulfill({ json }));
      // Nobody ever decides.
      await page.evaluate(() => {
        const real = window.fetch;
        window.fetch = (path, init) => (String(path).endsWith('/wait') ? new Promise(() => {}) : real(path, init));
      });
      await page.click('a[href="#/pair"]');
      await page.waitForSelector('.qr svg');
    },
  },
  { name: 'approve-code', alike: true, query: 'signedIn&own', hash: '#/pair/code' },
  {
    name: 'approve',
    query: 'signedIn&own',
    hash: '#/pair/abc',
    then: (page) => page.waitForSelector('.who'),
  },
  { name: 'enter', alike: true, hash: '#/enter/7-abc' },
  {
    name: 'entered',
    alike: true,
    query: 'signedIn',
    hash: '#/chats',
    then: async (page) => {
      const json = { address: '10777@nest.example', peer: null };
      await page.route('**/account/enter', (route) => route.fulfill({ json }));
      await page.evaluate(() => void (location.hash = '#/enter/7-abc'));
      await page.getByText('10777@nest.example').waitFor();
    },
  },
  { name: 'forgot', alike: true, hash: '#/forgot' },
  { name: 'recover', alike: true, hash: '#/recover/abc' },
  { name: 'chats', query: 'signedIn', hash: '#/chats' },
  { name: 'contacts', query: 'signedIn', hash: '#/contacts' },
  { name: 'groups', query: 'signedIn', hash: '#/groups' },
  { name: 'chat', query: 'signedIn', hash: `#/chats/${FRIEND}`, then: shown },
  { name: 'group', query: 'signedIn', hash: `#/chats/${GROUP}`, then: shown },
  { name: 'told', query: 'signedIn', hash: '#/chats/10249@nest.example', then: shown },
  { name: 'contact-card', query: 'signedIn', hash: `#/chats/${FRIEND}/info`, then: panel },
  { name: 'group-panel', query: 'signedIn', hash: `#/groups/${GROUP}/info`, then: panel },
  {
    name: 'group-members',
    query: 'signedIn',
    hash: `#/groups/${GROUP}/info`,
    then: async (page) => {
      await panel(page);
      await page.click('aside [role=tab]:nth-child(2)');
    },
  },
  {
    name: 'message-menu',
    query: 'signedIn',
    hash: `#/chats/${FRIEND}`,
    then: async (page) => {
      await shown(page);
      await page.locator('article .bubble').last().click({ button: 'right' });
      await page.waitForSelector('[role=menu]');
    },
  },
  {
    name: 'emoji',
    query: 'signedIn',
    hash: `#/chats/${FRIEND}`,
    then: async (page) => {
      await shown(page);
      await page.locator('.composer .field button').nth(0).click();
      await page.waitForSelector('.picker .grid button');
    },
  },
  {
    name: 'stickers',
    query: 'signedIn',
    hash: `#/chats/${FRIEND}`,
    then: async (page) => {
      await shown(page);
      await page.locator('.composer .field button').nth(1).click();
      await page.waitForSelector('.stickers img');
    },
  },
  {
    name: 'search',
    query: 'signedIn',
    hash: '#/chats',
    then: async (page) => {
      await page.fill('[data-pane=side] input[type=search]', 'har');
      await page.waitForSelector('mark');
      await page.waitForTimeout(500);
    },
  },
  {
    name: 'search-here',
    query: 'signedIn',
    hash: `#/chats/${FRIEND}/search`,
    then: async (page) => {
      await page.fill('aside input[type=search]', 'soup');
      await page.waitForSelector('aside mark');
    },
  },
  {
    name: 'add',
    alike: true,
    query: 'signedIn',
    hash: '#/contacts',
    then: async (page) => {
      await page.click('.tools > button');
      await page.click('[role=menuitem]');
      await page.fill('dialog input', '10900');
      await page.click('dialog button[type=submit]');
      await page.waitForSelector('dialog .card');
    },
  },
  {
    name: 'new-group',
    alike: true,
    query: 'signedIn',
    hash: '#/groups',
    then: async (page) => {
      await page.click('.tools > button');
      await page.locator('[role=menuitem]').nth(1).click();
      await page.waitForSelector('dialog');
    },
  },
  {
    name: 'invite-link',
    alike: true,
    query: 'signedIn',
    hash: '#/contacts',
    then: async (page) => {
      await page.click('.tools > button');
      await page.locator('[role=menuitem]').nth(2).click();
      await page.waitForSelector('dialog .link');
    },
  },
  {
    name: 'presence',
    query: 'signedIn',
    hash: '#/chats',
    then: async (page) => {
      await page.click('.face');
      await page.waitForSelector('[role=menu]');
    },
  },
  {
    name: 'offline',
    query: 'signedIn',
    hash: `#/chats/${FRIEND}`,
    then: async (page) => {
      await shown(page);
      await page.evaluate((retryAt) => window.engine.connect({ state: 'waiting', retryAt }), NOW + 7000);
      await page.waitForSelector('.chip button');
    },
  },
  ...['profile', 'notifications', 'privacy', 'reach', 'devices', 'appearance', 'account'].map((section) => ({
    name: `settings-${section}`,
    alike: !['profile', 'reach'].includes(section),
    query: 'signedIn',
    hash: `#/settings/${section}`,
  })),
  { name: 'shortcuts', alike: true, query: 'signedIn', hash: '#/shortcuts' },
  { name: 'admin', query: 'signedIn', hash: '#/admin/home', then: (page) => page.waitForSelector('.card') },
  ...[
    ['people', 'people', 'li a'],
    ['person', 'people/10101', 'dl'],
    ['invitations', 'invitations', 'li'],
    ['review', 'review', 'li'],
    ['reports', 'reports', 'li'],
    ['groups', 'groups', 'li a'],
    ['group', 'groups/700011', 'dl'],
    ['group-settings', 'groups/700011/settings', 'form'],
    ['storage', 'storage', 'dl'],
  ].map(([name, hash, there]) => ({
    name: `admin-${name}`,
    alike: !['people', 'group', 'storage'].includes(name),
    query: 'signedIn',
    hash: `#/admin/${hash}`,
    then: (page) => page.waitForSelector(`main ${there}`),
  })),
  {
    name: 'admin-report',
    alike: true,
    query: 'signedIn',
    hash: '#/admin/reports',
    then: async (page) => {
      await page.click('main li button');
      await page.waitForSelector('blockquote');
    },
  },
  {
    name: 'join',
    query: 'signedIn',
    hash: '#/join/700500@groups.nest.example',
    then: (page) => page.waitForSelector('main .card .card'),
  },
  {
    name: 'join-ask',
    alike: true,
    query: 'signedIn',
    hash: '#/join/700500@groups.nest.example',
    then: async (page) => {
      await page.click('main button[type=submit]');
      await page.waitForSelector('main textarea');
    },
  },
  {
    name: 'join-missing',
    alike: true,
    query: 'signedIn',
    hash: '#/join/799999@groups.nest.example',
    then: (page) => page.waitForSelector('[role=alert]'),
  },
  {
    name: 'invited',
    query: 'signedIn',
    hash: '#/invite/g7Kq2mVx9TzRw',
    then: (page) => page.waitForSelector('.who'),
  },
  { name: 'empty', query: 'signedIn&contacts=0', hash: '#/chats' },
];

/** The history is there. */
async function shown(page) {
  await page.waitForSelector('.list.settled article');
}

async function panel(page) {
  await page.waitForSelector('aside .portrait');
}
