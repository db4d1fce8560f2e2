/** What this client can do (XEP-0030, XEP-0115), and with it of which nodes it wants to hear. */
import { base64, utf8 } from '../xmpp/bytes';
import { NS } from '../xmpp/ns';
import { StanzaError } from '../xmpp/session';
import { el, type El } from '../xmpp/xml';
import type { Context } from './context';

const NODE = 'https://rookery.im/web';
const NAME = 'Rookery';
const FEATURES = [
  NS.attention,
  NS.caps,
  NS.chatStates,
  NS.correct,
  NS.directInvite,
  NS.discoInfo,
  NS.markers,
  NS.muc,
  NS.nick,
  NS.oob,
  NS.ping,
  NS.reactions,
  NS.receipts,
  NS.reply,
  NS.retract,
  NS.sfs,
];

export class Caps {
  private ver: Promise<string> | undefined;

  constructor(private readonly context: Context) {
    context.session.answer('query', NS.discoInfo, (_, query) => this.info(query));
  }

  /** For presence (XEP-0115 §5.1). */
  async element(): Promise<El> {
    this.ver ??= this.hash();
    return el('c', { xmlns: NS.caps, hash: 'sha-1', node: NODE, ver: await this.ver });
  }

  private get features(): string[] {
    // By code point, as the hash wants them.
    return [...FEATURES, ...this.context.pep.nodes.map((node) => `${node}+notify`)].sort();
  }

  private info(query: El): El {
    const { node } = query.attrs;
    if (node !== undefined && !node.startsWith(`${NODE}#`)) throw new StanzaError('item-not-found');
    return el(
      'query',
      { xmlns: NS.discoInfo, node },
      el('identity', { category: 'client', type: 'web', name: NAME }),
      ...this.features.map((feature) => el('feature', { var: feature })),
    );
  }

  private async hash(): Promise<string> {
    const text = [`client/web//${NAME}`, ...this.features].map((part) => `${part}<`).join('');
    return base64(new Uint8Array(await crypto.subtle.digest('SHA-1', utf8(text))));
  }
}
