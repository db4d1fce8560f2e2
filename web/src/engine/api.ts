/** What a tab asks, and which part of the account answers it. */
import type { Api } from '../api/api';
import type { Account } from './account';
import { errands, type Engine, type Tab } from './engine';
import { toApiError } from './errors';

export function apiFor(engine: Engine, tab: Tab = { visible: true }): Api & { detach(): void } {
  const account = (): Account => engine.signedIn;
  const talk = () => account().conversations;
  const api: Api & { detach(): void } = {
    attach: (listener) => engine.attach(tab, listener),
    detach: () => engine.detach(tab),
    focus: (state) => engine.focus(tab, state),

    signIn: (who) => engine.signIn(who),
    signInRemembered: () => engine.signInRemembered(),
    signUp: (who) => engine.signUp(who),
    signOut: () => engine.signOut('asked'),
    unlock: (password) => account().stream.prove(password),
    changePassword: async (old, fresh) => (await errands()).changePassword(engine, account(), old, fresh),
    deleteAccount: async (password) => (await errands()).deleteAccount(engine, account(), password),
    reconnect: () => engine.account?.stream.reconnect(),

    setPresence: (show, status) => account().setPresence(show, status),
    profile: (address) => account().people.card(address),
    setProfile: (card) => account().people.setProfile(card),
    setAvatar: (picture) => account().people.setAvatar(picture),
    avatar: (address, hash) => account().pictures.get(address, hash),
    exportLink: async () => (await errands()).exportLink(account()),
    privacy: async () => (await errands()).readPrivacy(account().commands),
    setPrivacy: async (form) => (await errands()).writePrivacy(account().commands, form),
    reach: async () => (await errands()).readReach(account().stream),
    setReach: async (settings) => (await errands()).writeReach(account().stream, settings),
    reachAddress: async (what, way, address, code) =>
      (await errands()).reachAddress(account().stream, what, way, address, code),
    devices: () => account().devices.list(),
    signOutDevice: (id) => account().devices.signOut(id),
    newcomer: (which) => account().devices.newcomer(which),
    answerNewcomer: (id, accept) => account().devices.answerNewcomer(id, accept),

    addContact: (address, more) => account().roster.add(address, more),
    answerRequest: (address, accept) => account().requests.answer(address, accept),
    removeContact: (address) => account().roster.remove(address),
    setContact: (address, change) => account().roster.change(address, change),
    setVisibility: (address, visibility) => account().setVisibility(address, visibility),
    renameCategory: (from, to) => account().roster.renameCategory(from, to),
    block: (address, on) => account().blocking.block(address, on),
    report: (address, reason, text, messages) => account().blocking.report(address, reason, text, messages),
    lookUp: (input) => account().people.lookUp(input),
    findPeople: (words) => account().people.findPeople(words),
    findGroups: (words) => account().people.findGroups(words),
    inviteLink: async (group) => (await errands()).inviteLink(account().commands, engine.config, group),
    invitation: async (token) => (await errands()).invitation(account().commands, token),
    takeUp: async (token) => (await errands()).takeUp(account().commands, token),

    open: (address) => talk().open(address),
    history: (address, where, limit) => talk().history(address, where, limit),
    send: (address, what) => talk().send(address, what),
    retry: (address, key) => talk().retry(address, key),
    discard: (address, key) => talk().discard(address, key),
    edit: (address, key, body, mentions) => talk().edit(address, key, body, mentions),
    retract: (address, key, reason) => talk().retract(address, key, reason),
    react: (address, key, emojis) => talk().react(address, key, emojis),
    knock: (address) => talk().knock(address),
    markRead: (address, key) => talk().markRead(address, key),
    typing: (address, on) => engine.account?.conversations.typing(address, on),
    setDraft: (address, text) => engine.account?.conversations.setDraft(address, text),
    setPinned: (address, on) => account().bookmarks.setPinned(address, on),
    setNotify: (address, notify) => account().bookmarks.setNotify(address, notify),
    close: (address) => talk().close(address),
    search: (text, address, before) => talk().search(text, address, before),
    filesOf: (address, before) => talk().filesOf(address, before),
    preview: (url) => talk().preview(url),

    createGroup: (what) => account().panels.create(what),
    join: (address, how) => account().join(account().rooms.resolve(address), how),
    askToJoin: (address, text) => account().panels.askToJoin(account().rooms.resolve(address), text),
    answerInvitation: (group, accept) => account().answerInvitation(group, accept),
    leave: (address) => account().panels.leave(address),
    group: (address) => account().panels.group(address),
    members: (address) => account().panels.members(address),
    invite: (group, who, reason) => account().panels.invite(group, who, reason),
    setSubject: (group, subject) => account().panels.setSubject(group, subject),
    setNick: (group, nick) => account().rooms.setNick(group, nick),
    groupSettings: (group) => account().panels.settings(group),
    setGroupSettings: (group, form) => account().panels.setSettings(group, form),
    setGroupAvatar: (group, picture) => account().pictures.setOfGroup(group, picture),
    setAffiliation: (group, who, affiliation, reason) =>
      account().panels.setAffiliation(group, who, affiliation, reason),
    setRole: (group, nick, role, reason) => account().panels.setRole(group, nick, role, reason),
    answerMembership: (group, who, accept) => account().panels.answerRequest(group, who, accept),
    addNotice: (group, text) => account().panels.addNotice(group, text),
    removeNotice: (group, id) => account().panels.removeNotice(group, id),
    destroyGroup: (group, reason) => account().panels.destroy(group, reason),

    pushKey: () => account().push.key(),
    pushSubscribe: (subscription) => account().push.subscribe(subscription),
    pushUnsubscribe: (endpoint) => account().push.unsubscribe(endpoint),

    commands: () => account().commands.list(),
    command: (step) => account().commands.step(step),
  };
  return guarded(api);
}

/** What fails, at once or later, fails as a promise and with an `ApiError`. */
function guarded<T extends object>(api: T): T {
  return new Proxy(api, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]): unknown => {
        try {
          const result: unknown = Reflect.apply(method, undefined, args);
          return result instanceof Promise
            ? result.catch((error: unknown) => Promise.reject(toApiError(error)))
            : result;
        } catch (error) {
          return Promise.reject(toApiError(error));
        }
      };
    },
  });
}
