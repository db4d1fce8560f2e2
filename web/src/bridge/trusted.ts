/**
 * The page's policy lets nothing become the address of a script but what comes by here (Trusted Types; the server's header names
 * `rookery-worker`): the worker of all tabs, and the one that notifications need. Both are files of this server.
 */
interface Policy {
  createScriptURL(address: string): string;
}

declare const trustedTypes: { createPolicy(name: string, rules: Policy): Policy } | undefined;

const rules: Policy = {
  createScriptURL(address) {
    if (new URL(address, location.href).origin !== location.origin) throw new TypeError(`not ours: ${address}`);
    return address;
  },
};

const policy = typeof trustedTypes === 'undefined' ? rules : trustedTypes.createPolicy('rookery-worker', rules);

/** The address of a script of ours, as `SharedWorker` and `navigator.serviceWorker.register` want it. */
export const scriptAddress = (address: string): string => policy.createScriptURL(address);
