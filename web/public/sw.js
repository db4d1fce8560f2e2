// Tells of messages while no tab is open (Web Push, RFC 8030). It keeps nothing and serves nothing: pages come from the server.
const CHINESE = (navigator.language || '').toLowerCase().startsWith('zh');

/** What is told if the owner lets nothing more be said (docs/push.md of the server). */
function words({ sender, body, count }) {
  const some = CHINESE ? `${count} 条新消息` : count === 1 ? 'A new message' : `${count} new messages`;
  return { title: sender ?? 'Rookery', body: body ?? some };
}

self.addEventListener('push', (event) => {
  let told;
  try {
    told = event.data.json();
  } catch {
    told = {};
  }
  const { conversation = null, urgent = false, count = 1, at = Date.now() } = told;
  const { title, body } = words({ ...told, count });
  const show = self.registration.showNotification(title, {
    body,
    icon: '/icon-192.png',
    // One for each conversation: the newest stands for those before it.
    tag: conversation ?? 'rookery',
    renotify: true,
    requireInteraction: urgent,
    timestamp: at,
    data: { conversation },
  });
  event.waitUntil(Promise.all([show, self.navigator.setAppBadge?.(count)]));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { conversation } = event.notification.data ?? {};
  const address = conversation ? `/#/chats/${encodeURIComponent(conversation)}` : '/';
  const open = async () => {
    const [tab] = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
    if (!tab) return self.clients.openWindow(address);
    await tab.focus();
    return conversation ? tab.navigate(address).catch(() => {}) : undefined;
  };
  event.waitUntil(Promise.all([open(), self.navigator.clearAppBadge?.()]));
});
