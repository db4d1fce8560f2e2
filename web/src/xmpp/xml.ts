/**
 * Elements of XML as XMPP uses them: built, parsed and written without a DOM, since workers have none.
 *
 * A stanza is a small tree. Prefixes are resolved when it is parsed and never written: an element says its namespace where it
 * differs from its parent's, and no attribute but `xml:lang` needs one.
 */
import { SaxesParser } from 'saxes';
import { NS } from './ns';

export type Node = El | string;
type Attrs = Record<string, string | number | undefined>;
/** What stands for nothing is left out, so that `condition && el(...)` can be written in place. */
type Child = Node | undefined | null | false;

/** How deep elements may be nested: a carbon of an archive's message is about ten deep. */
const MAX_DEPTH = 100;

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
const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
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

/** Why something is not XML that we take. */
export class XmlError extends Error {
  override name = 'XmlError';
}

/** Parses one document: what one message of a WebSocket holds (RFC 7395 §3.3.3). Throws `XmlError`. */
export function parse(source: string): El {
  const parser = new SaxesParser({ xmlns: true, position: false });
  const stack: El[] = [];
  let root: El | undefined;

  // RFC 6120 §11.1: no comments, processing instructions, document types or entities of one's own.
  const refuse = (what: string) => () => {
    throw new XmlError(`restricted XML: ${what}`);
  };
  parser.on('doctype', refuse('document type'));
  parser.on('processinginstruction', refuse('processing instruction'));
  parser.on('comment', refuse('comment'));
  parser.on('error', (error) => {
    throw new XmlError(error.message);
  });

  parser.on('opentag', (tag) => {
    const opened = new El(tag.local, tag.uri);
    for (const attr of Object.values(tag.attributes)) {
      if (attr.prefix === '' && attr.name !== 'xmlns') opened.attrs[attr.local] = attr.value;
      else if (attr.prefix === 'xml') opened.attrs[attr.name] = attr.value;
    }
    if (stack.length >= MAX_DEPTH) throw new XmlError('nested too deep');
    stack[stack.length - 1]?.children.push(opened);
    root ??= opened;
    stack.push(opened);
  });
  parser.on('closetag', () => {
    stack.pop();
  });
  const append = (text: string) => {
    const into = stack[stack.length - 1]?.children;
    if (into === undefined || text === '') return;
    const last = into.length - 1;
    const before = into[last];
    if (typeof before === 'string') into[last] = before + text;
    else into.push(text);
  };
  parser.on('text', append);
  parser.on('cdata', append);

  parser.write(source).close();
  if (root === undefined) throw new XmlError('empty');
  return root;
}
