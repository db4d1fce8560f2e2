/** What the server says of itself before anybody has signed in (`/config.json`). */
export interface Config {
  domain: string;
  /** Domain of the groups. */
  groups: string;
  /** Whether secrets may be typed into this page, by the way it came. */
  secure: boolean;
  registration: 'closed' | 'invite' | 'review' | 'open';
  /** The server's address for everybody: addresses of files begin with it. */
  base?: string;
  /** The server looks at links. */
  previews?: boolean;
  /** Who has lost the password may ask for a link by mail. */
  recovery?: boolean;
  /** Members may invite. */
  members_invite: boolean;
  /** Largest file in bytes; null where there are no uploads. */
  upload_bytes: number | null;
  /** Where the terms are, if there are some. */
  terms: string | null;
  version: string;
}

export async function config(): Promise<Config> {
  const answer = await fetch('/config.json', { cache: 'no-store' });
  if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
  return answer.json();
}
