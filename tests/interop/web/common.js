// What the pages share: who they are, and what they have seen. The driver reads `seen` and calls `client`.

const asked = new URLSearchParams(location.search);
const me = { user: asked.get("user"), password: asked.get("password"), domain: asked.get("domain"), way: asked.get("way") };
me.jid = `${me.user}@${me.domain}`;
const https = `https://${me.domain}:${asked.get("port")}/http-bind`;
const wss = `wss://${me.domain}:${asked.get("port")}/xmpp-websocket`;

const seen = [];

function show(line) {
    seen.push(line);
    document.body.append(Object.assign(document.createElement("p"), { textContent: line }));
}

function address(name) {
    return name.includes("@") ? name : `${name}@${me.domain}`;
}

// What was said while nobody looked, from the archive (XEP-0313).
function archiveQuery(build) {
    return build("iq", { type: "set", id: "archive" }, build("query", { xmlns: "urn:xmpp:mam:2" }));
}
