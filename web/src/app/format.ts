/** How times, sizes and durations are written in the reader's language. */
import { language } from '../i18n/index.svelte';

/** Formatters, each made once for a language: making one takes longer than what it is made for. */
const made = new Map<string, unknown>();

function once<T>(name: string, make: (locale: string) => T): T {
  const key = `${language.locale} ${name}`;
  let format = made.get(key) as T | undefined;
  if (!format) made.set(key, (format = make(language.locale)));
  return format;
}

function dates(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return once(name, (locale) => new Intl.DateTimeFormat(locale, options));
}

const relative = () => once('relative', (locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }));

const DAY = 86_400_000;

/** Days since 1970 in the reader's own time. */
export function dayOf(at: number): number {
  return Math.floor((at - new Date(at).getTimezoneOffset() * 60_000) / DAY);
}

/** 14:05 */
export function clock(at: number): string {
  return dates('clock', { hour: '2-digit', minute: '2-digit' }).format(at);
}

/** 14:05 today, Tue in this week, 3 May, 03/05/2024: for the list of chats. */
export function short(at: number, now = Date.now()): string {
  const days = dayOf(now) - dayOf(at);
  if (days <= 0) return clock(at);
  if (days < 7) return dates('weekday', { weekday: 'short' }).format(at);
  if (new Date(at).getFullYear() === new Date(now).getFullYear())
    return dates('day', { day: 'numeric', month: 'short' }).format(at);
  return dates('date', { dateStyle: 'short' }).format(at);
}

/** Today, Yesterday, Monday 3 May: between the days of a conversation. */
export function day(at: number, now = Date.now()): string {
  const days = dayOf(now) - dayOf(at);
  if (days < 2) {
    const word = relative().format(-days, 'day');
    return word.charAt(0).toLocaleUpperCase(language.locale) + word.slice(1);
  }
  const year = new Date(at).getFullYear() !== new Date(now).getFullYear();
  return dates(`long${year}`, {
    weekday: days < 330 ? 'long' : undefined,
    day: 'numeric',
    month: 'long',
    year: year ? 'numeric' : undefined,
  }).format(at);
}

/** 3 May 1990, of a date without a time; anything else as it is. */
export function date(text: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return text;
  return dates('birthday', { dateStyle: 'long', timeZone: 'UTC' }).format(Date.parse(text));
}

/** A text in which moments (XEP-0082) are written in the reader's own time. */
export function readable(text: string): string {
  return text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (moment) =>
    dates('moment', { dateStyle: 'medium', timeStyle: 'short' }).format(Date.parse(moment)),
  );
}

/** Date and time in full: for tooltips and devices. */
export function full(at: number): string {
  return dates('full', { dateStyle: 'long', timeStyle: 'short' }).format(at);
}

/** 5 minutes ago */
export function ago(at: number, now = Date.now()): string {
  const format = relative();
  const minutes = Math.round((now - at) / 60_000);
  if (minutes < 60) return format.format(-minutes, 'minute');
  if (minutes < 24 * 60) return format.format(-Math.round(minutes / 60), 'hour');
  return format.format(-Math.round(minutes / 1440), 'day');
}

/** 1.4 MB */
export function bytes(n: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000;
    unit += 1;
  }
  const maximumFractionDigits = n < 10 && unit > 0 ? 1 : 0;
  // In short a byte has no plural.
  const unitDisplay = unit === 0 ? 'long' : 'short';
  const options = { style: 'unit', unit: units[unit], unitDisplay, maximumFractionDigits } as const;
  return once(`bytes ${unit} ${maximumFractionDigits}`, (locale) => new Intl.NumberFormat(locale, options)).format(n);
}

/** 1:05 */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
