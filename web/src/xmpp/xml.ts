/**
 * Elements of XML as XMPP uses them, built and written without a DOM, since workers have none. `parse` reads them.
 *
 * A stanza is a small tree. Prefixes are resolved when it is parsed and never written: an element says its namespace where it
 * differs from its parent's, and no attribute but `xml:lang` needs one.
 */
import { NS } from './ns';

export type Node = El | string;
type Attrs = Record<string, string | number | undefined>;
/** What stands for nothing is left out, so that `condition && el(...)` can be written in place. */
type Child = Node | undefined | null | false;

export class El {
  readonly attrs: Record<string, string> = {};
  readonly children: Node[] = [];

  /** With `ns` empty, the namespace is that of the element which it becomes a child of. */
  constructor(
    readonly name: string,
    public ns: string,
  ) {}

  /** The first child of this name, in this element's own namespace unless another is said. */
  child(name: string, ns: string = this.ns): El | undefined {
    for (const node of this.children) {
      if (typeof node !== 'string' && node.name === name && node.ns === ns) return node;
    }
    return undefined;
  }

  /** Child elements; only those of this name and namespace if a name is said. */
  all(name?: string, ns: string = this.ns): El[] {
    const found: El[] = [];
    for (const node of this.children) {
      if (typeof node !== 'string' && (name === undefined || (node.name === name && node.ns === ns))) found.push(node);
    }
    return found;
  }

  /** Goes down: `path(['event', NS.pubsubEvent], ['items'])`. */
  path(...steps: [name: string, ns?: string][]): El | undefined {
    let at: El | undefined = this;
    for (const [name, ns] of steps) at = at?.child(name, ns);
    return at;
  }

  /** The character data directly in this element. */
  text(): string {
    return this.children.filter((node) => typeof node === 'string').join('');
  }

  /** The text of a child; undefined if there is no such child. */
  childText(name: string, ns: string = this.ns): string | undefined {
    return this.child(name, ns)?.text();
  }

  is(name: string, ns: string): boolean {
    return this.name === name && this.ns === ns;
  }

  /** Adds children; those without a namespace take this element's. */
  add(...children: Child[]): this {
    for (const node of children) {
      if (node === undefined || node === null || node === false || node === '') continue;
      if (typeof node !== 'string' && this.ns !== '') node.adopt(this.ns);
      this.children.push(node);
    }
    return this;
  }

  private adopt(ns: string): void {
    if (this.ns !== '') return;
    this.ns = ns;
    for (const node of this.children) if (typeof node !== 'string') node.adopt(ns);
  }

  /** The element as text. `around` is the namespace in which it will stand. */
  toString(around = ''): string {
    let out = `<${this.name}`;
    if (this.ns !== around && this.ns !== '') out += ` xmlns='${escape(this.ns)}'`;
    for (const [name, value] of Object.entries(this.attrs)) out += ` ${name}='${escape(value)}'`;
    if (this.children.length === 0) return `${out}/>`;
    out += '>';
    for (const node of this.children) out += typeof node === 'string' ? escape(node) : node.toString(this.ns);
    return `${out}</${this.name}>`;
  }
}

/**
 * Builds an element. `xmlns` among the attributes is its namespace; without it a stanza is of `jabber:client`, and anything
 * else of its parent's namespace.
 *
 *     el('iq', { type: 'get' }, el('query', { xmlns: NS.roster }))
 */
export function el(name: string, attrs: Attrs = {}, ...children: Child[]): El {
  const { xmlns, ...rest } = attrs;
  const stanza = name === 'message' || name === 'presence' || name === 'iq';
  const built = new El(name, xmlns === undefined ? (stanza ? NS.client : '') : String(xmlns));
  for (const [key, value] of Object.entries(rest)) if (value !== undefined) built.attrs[key] = String(value);
  return built.add(...children);
}

/** What XML 1.0 does not allow in a document at all (§2.2), lone surrogates included: one would end the stream. */
export const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
const SPECIAL = /[&<>"'\r]/g;
const ENTITY: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#xD;',
};

function escape(text: string): string {
  return text.replace(FORBIDDEN, '').replace(SPECIAL, (char) => ENTITY[char]!);
}
