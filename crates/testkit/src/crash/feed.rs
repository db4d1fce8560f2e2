//! A node of the publish-subscribe service in the run: each device publishes items of its own there, over and over, and takes
//! them back.

use anyhow::Result;

use super::history::{Account, Device};
use crate::client::Client;
use crate::ns;

/// Where the node is.
const SERVICE: &str = "pubsub.localhost";

const NODE: &str = "crash";

/// The namespace of the payloads.
const PAYLOAD: &str = "urn:x-rookery:crash";

/// How many items each device has.
pub(super) const ITEMS: u64 = 4;

/// The key of an item.
pub(super) fn key(id: &str) -> String {
    format!("item {id}")
}

/// The id of a device's item.
pub(super) fn id(device: Device, item: u64) -> String {
    format!("{}-{}-{item}", device.account.0, device.index)
}

/// Makes the node: everybody publishes.
pub(super) async fn make(client: &mut Client) -> Result<()> {
    let open = "<field var='pubsub#publish_model'><value>open</value></field>";
    let form = format!("<configure><x xmlns='{}' type='submit'>{open}</x></configure>", ns::DATA_FORMS);
    let request = format!("<pubsub xmlns='{}'><create node='{NODE}'/>{form}</pubsub>", ns::PUBSUB);
    client.iq("set", Some(SERVICE), &request).await.map(drop)
}

/// The request that publishes a value, or takes the item back.
pub(super) fn change(number: usize, id: &str, value: Option<&str>) -> String {
    let change = match value {
        Some(value) => {
            let item = format!("<item id='{id}'><value xmlns='{PAYLOAD}'>{value}</value></item>");
            format!("<publish node='{NODE}'>{item}</publish>")
        }
        None => format!("<retract node='{NODE}'><item id='{id}'/></retract>"),
    };
    format!(
        "<iq type='set' to='{SERVICE}' id='w-{number}'><pubsub xmlns='{}'>{change}</pubsub></iq>",
        ns::PUBSUB
    )
}

/// What is there of the items that an account's devices have published.
pub(super) async fn stored(client: &mut Client, account: Account) -> Result<Vec<(String, String)>> {
    // No account has more than two devices.
    let devices = (0..2).map(|index| Device { account, index });
    let ids = devices.flat_map(|device| (0..ITEMS).map(move |item| id(device, item)));
    let items: String = ids.map(|id| format!("<item id='{id}'/>")).collect();
    let request = format!("<pubsub xmlns='{}'><items node='{NODE}'>{items}</items></pubsub>", ns::PUBSUB);
    let answer = client.iq("get", Some(SERVICE), &request).await?;
    let items = answer.children().flat_map(|pubsub| pubsub.children()).flat_map(|items| items.children());
    Ok(items
        .filter_map(|item| Some((key(item.attr("id")?), item.get_child("value", PAYLOAD)?.text())))
        .collect())
}
