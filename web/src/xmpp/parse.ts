/**
 * Reads XML (1.0, with namespaces) as RFC 6120 §11.1 allows it: no comments, processing instructions, document types, nor
 * entities of one's own. At least as strict as a full parser, which a test compares it with, in a fifth of the size.
 */
import { El, FORBIDDEN } from './xml';

/** Why something is not XML that we take. */
export class XmlError extends Error {
  override name = 'XmlError';
}

/** How deep elements may be nested: a carbon of an archive's message is about ten deep. */
const MAX_DEPTH = 100;

const XML = 'http://www.w3.org/XML/1998/namespace';
const XMLNS = 'http://www.w3.org/2000/xmlns/';

/** Namespaces in XML §4: names without a colon (`NCName`), and with one. */
const START =
  'A-Z_a-z\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF' +
  '\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}';
const NCNAME = `[${START}][${START}\\-.0-9\\u00B7\\u0300-\\u036F\\u203F\\u2040]*`;
const QNAME = `(?:(${NCNAME}):)?(${NCNAME})`;
const OPEN = new RegExp(`<${QNAME}`, 'uy');
const ATTRIBUTE = new RegExp(`[ \\t\\n]+${QNAME}[ \\t\\n]*=[ \\t\\n]*(?:"([^"<]*)"|'([^'<]*)')`, 'uy');
const END = /[ \t\n]*(\/?)>/y;
const CLOSE = /<\/([^>]*?)[ \t\n]*>/y;
const REFERENCE = /&(?:(lt|gt|amp|quot|apos)|#([0-9]+)|#x([0-9a-fA-F]+));|&/g;
const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Prefixes in force; an element that declares some has its own, on top of its parent's. */
type Scope = Map<string, string>;

interface Open {
  element: El;
  /** As it was written: the end tag says the same. */
  name: string;
  scope: Scope;
}

/** Parses one document: what one message of a WebSocket holds (RFC 7395 §3.3.3). Throws `XmlError`. */
export function parse(text: string): El {
  return new Parser(text).document();
}

class Parser {
  private readonly source: string;
  private at = 0;
  private readonly stack: Open[] = [];
  private root: El | undefined;

  constructor(text: string) {
    // §2.2; a regular expression with a state is set back by itself when it finds nothing.
    FORBIDDEN.lastIndex = 0;
    if (FORBIDDEN.test(text)) throw new XmlError('a character that XML does not have');
    // §2.11
    this.source = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
  }

  document(): El {
    const { source } = this;
    while (this.at < source.length) {
      const next = source.indexOf('<', this.at);
      const end = next < 0 ? source.length : next;
      if (end > this.at) this.text(source.slice(this.at, end));
      this.at = end;
      if (next < 0) break;
      if (source.startsWith('</', next)) this.close();
      else if (source.startsWith('<![CDATA[', next)) this.cdata();
      else this.open();
    }
    if (this.root === undefined || this.stack.length > 0) throw new XmlError('incomplete');
    return this.root;
  }

  private text(raw: string): void {
    if (this.stack.length === 0) {
      if (/[^ \t\n]/.test(raw)) throw new XmlError('text outside of the element');
      return;
    }
    // §2.4
    if (raw.includes(']]>')) throw new XmlError('the end of a section without its beginning');
    this.append(unescape(raw));
  }

  private cdata(): void {
    const end = this.source.indexOf(']]>', this.at);
    if (end < 0 || this.stack.length === 0) throw new XmlError('a section out of place');
    this.append(this.source.slice(this.at + '<![CDATA['.length, end));
    this.at = end + ']]>'.length;
  }

  private append(text: string): void {
    const into = this.stack[this.stack.length - 1]!.element.children;
    const last = into.length - 1;
    const before = into[last];
    if (text === '') return;
    if (typeof before === 'string') into[last] = before + text;
    else into.push(text);
  }

  private open(): void {
    const [tag, prefix = '', name] = this.match(OPEN);
    if (this.root !== undefined && this.stack.length === 0) throw new XmlError('a second element');
    if (this.stack.length >= MAX_DEPTH) throw new XmlError('nested too deep');
    const parent = this.stack[this.stack.length - 1];
    const attributes = this.attributes();
    const scope = declare(parent?.scope ?? ROOT, attributes);
    const element = new El(name!, resolve(scope, prefix));
    const seen = new Set<string>();
    for (const { prefix, name, value } of attributes) {
      if (prefix === 'xmlns' || (prefix === '' && name === 'xmlns')) continue;
      const expanded = prefix === '' ? name : `${resolve(scope, prefix)} ${name}`;
      if (seen.has(expanded)) throw new XmlError('an attribute twice');
      seen.add(expanded);
      // What other vocabularies say of our elements nobody asks for.
      if (prefix === '') element.attrs[name] = value;
      else if (prefix === 'xml') element.attrs[`xml:${name}`] = value;
    }
    parent?.element.children.push(element);
    this.root ??= element;
    const [, empty] = this.match(END);
    if (empty === '') this.stack.push({ element, name: tag.slice(1), scope });
  }

  private attributes(): Attribute[] {
    const found: Attribute[] = [];
    for (;;) {
      ATTRIBUTE.lastIndex = this.at;
      const match = ATTRIBUTE.exec(this.source);
      if (match === null) return found;
      this.at = ATTRIBUTE.lastIndex;
      const [, prefix = '', name, double, single] = match;
      // §3.3.3: a line break that is written as such is a space.
      const value = unescape((double ?? single ?? '').replace(/[\t\n]/g, ' '));
      found.push({ prefix, name: name!, value });
    }
  }

  private close(): void {
    const [, name] = this.match(CLOSE);
    if (this.stack.pop()?.name !== name) throw new XmlError('the end of another element');
  }

  private match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.source);
    if (match === null) throw new XmlError('not well-formed');
    this.at = pattern.lastIndex;
    return match;
  }
}

interface Attribute {
  prefix: string;
  name: string;
  value: string;
}

const ROOT: Scope = new Map([
  ['', ''],
  ['xml', XML],
]);

/** The prefixes in force with these declarations (Namespaces in XML §3, §6). */
function declare(around: Scope, attributes: Attribute[]): Scope {
  let scope = around;
  for (const { prefix, name, value } of attributes) {
    if (prefix !== 'xmlns' && !(prefix === '' && name === 'xmlns')) continue;
    const declared = prefix === '' ? '' : name;
    // A space in a namespace would be one thing here and another there.
    const odd = /\s/.test(value);
    if (
      odd ||
      (declared === 'xml') !== (value === XML) ||
      declared === 'xmlns' ||
      value === XMLNS ||
      (prefix !== '' && value === '')
    ) {
      throw new XmlError('a namespace that cannot be declared');
    }
    if (scope === around) scope = new Map(around);
    else if (attributes.filter((other) => other.prefix === prefix && other.name === name).length > 1) {
      throw new XmlError('an attribute twice');
    }
    scope.set(declared, value);
  }
  return scope;
}

function resolve(scope: Scope, prefix: string): string {
  const ns = prefix === 'xmlns' ? undefined : scope.get(prefix);
  if (ns === undefined) throw new XmlError('a prefix that was not declared');
  return ns;
}

/** Text with its references resolved (§4.1); only the five entities that need no declaration. */
function unescape(raw: string): string {
  if (!raw.includes('&')) return raw;
  return raw.replace(REFERENCE, (_, name?: string, decimal?: string, hexadecimal?: string) => {
    if (name !== undefined) return NAMED[name]!;
    const code = decimal !== undefined ? Number.parseInt(decimal, 10) : Number.parseInt(hexadecimal ?? '', 16);
    const char = code <= 0x10ffff ? String.fromCodePoint(code) : '';
    FORBIDDEN.lastIndex = 0;
    if (char === '' || FORBIDDEN.test(char)) throw new XmlError('a reference to nothing');
    return char;
  });
}
